/**
 * Names the bytes that a page has: it changes whenever `renderReport` or `reportInputOf` makes others of the same data.
 * tests/report/renderer_version_test.ts holds it to the digest of a page.
 */
export const RENDERER_VERSION = "rewarm report v6";
