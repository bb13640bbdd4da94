/** Name of the page beside a manifest. */
export const REPORT_FILE = "report.html";
