//! Names and subjects that would like to be more than that, each with what it is after.
//!
//! Beside the tests of formats, whoever shows a name can go through them.

/// All of them.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    names.push("A".repeat(10_000));
    names.push("&".repeat(5_000));
    names.push("<b>".repeat(2_000));
    names.push("👨‍👩‍👧‍👦".repeat(500));
    names.push(format!("Bo{}", "\u{301}".repeat(3_000)));
    names.push("\u{202e}".repeat(3_000));
    names.push("日".repeat(9_000));
    names.push("*a".repeat(4_000));
    names.push("[x](https://evil.example/) ".repeat(500));
    names.push(" ".repeat(1_000));
    names
}

#[rustfmt::skip]
const NAMES: &[&str] = &[
    // Slack: mentions, links, dates.
    "<!channel>", "<!here>", "<!everyone>", "@channel", "@here", "@everyone", "@bo", "<@U024BE7LH>",
    "<#C024BE7LR>", "<!subteam^SAZ94GDB8>", "<https://evil.example|Acme>", "<mailto:a@evil.example|Bo>",
    "<!date^1392734382^{date}^https://evil.example/|now>", "#general", "Bo <!channel> Li",
    "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "<<!channel>>", "<!channel", "!channel>",
    "<slack://channel?id=C1|x>",
    // Markup of Slack.
    "*Bo*", "_Bo_", "~Bo~", "`Bo`", "```Bo```", "*", "Bo*", "*Bo", "a*b*c_d_e~f~g`h`", ":siren:",
    "> quoted", ">>> all quoted", "&gt; quoted", "1. one", "- one", "• one", "Bo\n> quoted", "Bo\n*x*",
    // Markdown and the Adaptive Card.
    "[Bo](https://evil.example)", "[Bo](javascript:alert(1))", "![x](https://evil.example/x.png)",
    "**Bo**", "__Bo__", "[Bo]", "](https://evil.example)", "\\*Bo\\*", "\\[x\\](https://evil.example)",
    "&#91;x&#93;(https://evil.example)", "<at>Bo</at>", "{{DATE(2017-02-14T06:00:00Z, SHORT)}}",
    "{{TIME(2017-02-14T06:00:00Z)}}", "${$root.secret}", "@{triggerBody()}", "# Bo", "| a | b |", "---",
    "Bo\r- x\r- y", "<https://evil.example>", "[a]: https://evil.example", "[1][a]",
    // HTML and script.
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>", "' onmouseover='alert(1)", "<a href=\"https://evil.example\">Bo</a>",
    "<iframe src=//evil.example></iframe>", "<!-- ", "--> x", "]]>", "<![CDATA[x]]>", "<base href=//evil.example>",
    "<style>*{display:none}</style>", "</textarea><b>", "</title><script>alert(1)</script>",
    "<form action=//evil.example><input name=x>", "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<math><mtext></mtext><script>alert(1)</script></math>", "<b>bold</b>", "<details open ontoggle=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "%3Cscript%3E", "\u{ff1c}script\u{ff1e}",
    // URLs that are made links without asking.
    "https://evil.example/login", "http://evil.example", "www.evil.example", "evil.example/login",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "file:///etc/passwd",
    "HTTPS://EVIL.EXAMPLE", "mailto:bo@evil.example", "tel:+1900555", "аpple.example/login", "exаmple.com",
    "xn--pple-43d.com", "http:⁄⁄evil.example", "evil。example", "bo@evil.example", "ftp://evil.example", "//evil.example",
    "https://us.example@evil.example", "1.2.3.4", "[::1]",
    // What cannot be seen.
    "Bo\u{202e}iL", "\u{202d}Bo", "\u{2066}Bo\u{2069}", "\u{200f}Bo", "Bo\u{200b}Li", "Bo\u{feff}Li", "Bo\u{2060}Li",
    "Bo\u{0}Li", "Bo\u{1b}[31mLi", "Bo\u{7}", "Bo\u{8}\u{8}Li", "Bo\u{7f}", "Bo\u{85}Li", "Bo\u{2028}Li", "Bo\u{2029}Li",
    "Bo\r\nBcc: x@evil.example", "\u{ad}Bo", "\u{3164}", "\u{115f}\u{1160}", "Bo\u{e0041}\u{e007f}", "<\u{200b}!channel>",
    "<!\u{200b}channel>", "@\u{200b}here", "*\u{200b}Bo*", "h\u{200b}ttps://evil.example", "\u{fff9}a\u{fffa}b\u{fffb}", "", " ", "\t",
    // JSON and templates.
    "\"", "\\", "\\\"", "\"}", "\",\"admin\":true,\"x\":\"", "\\u003c!channel\\u003e", "{\"text\":\"x\"}", "null", "true", "0",
    "{{ 7 * 7 }}", "{% for x in y %}", "{# x #}", "{{ nudge.rep.address }}", "%s%n", "$(id)", "`id`", "'; DROP TABLE contact; --",
    // Letters that are more than they seem.
    "👨‍👩‍👧‍👦", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "👍🏽", "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", "ﷺ", "İstanbul", "ﬁ", "Ω≈ç√∫",
    "\u{fffd}", "\u{fffe}", "\u{10ffff}",
];
