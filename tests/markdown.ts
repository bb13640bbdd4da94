/** What a Markdown reader makes of a text: CommonMark with GitHub's extensions, by micromark. */
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/** Names that do harm where they become more than text: markup, links, mentions, commands of GitHub's. */
export const HOSTILE_NAMES: readonly string[] = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[click](javascript:alert(1))",
  "![pixel](https://tracker.example/p.png)",
  "https://phish.example/login",
  "www.phish.example",
  "mail@phish.example",
  "@ada and @org/team see #1, GH-1 and org/repo#1",
  "`` ` tick @ada",
  "`@ada`",
  "a`@ada`b``@ada",
  "```\n@ada\n```",
  "end\n\n# A heading\n\n@ada",
  "x\r\n- item\r\n::error::forged",
  "::error file=a::forged",
  "##[add-mask]forged",
  "a | b | <b>c</b>",
  "$`@ada`$ and $$x$$",
  ":tada: ~~gone~~ **bold** &lt;b&gt; \\`@ada\\`",
  "\u202etxt.exe\u0000\u001b[31m",
  " ` ",
];

/** The HTML of a text. */
export function htmlOf(markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

/** All of a text's HTML outside of code: there mentions, addresses and tags would do something. */
export function outsideOfCode(markdown: string): string {
  return htmlOf(markdown).replace(/<code>[^<]*<\/code>/g, "");
}
