//! What is printed, letter by letter.

use super::*;

const COLUMNS: [Column; 3] = [
    Column { key: "contact", title: "contact", align: Align::Left },
    Column { key: "organisation", title: "organisation", align: Align::Left },
    Column { key: "strength", title: "strength", align: Align::Right },
];

fn table(rows: &[[&str; 3]]) -> Table {
    let mut table = Table::new(&COLUMNS);
    for [contact, organisation, strength] in rows {
        table.push(vec![Cell::text(contact), Cell::text(organisation), Cell::number(strength)]);
    }
    table
}

fn printed(table: &Table, format: Format, width: Option<usize>, colour: Colour) -> String {
    let mut out = Vec::new();
    let data = serde_json::json!([]);
    print(&mut out, format, Look { width, colour }, table, &data).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn wide_letters_and_numbers_stay_in_their_columns() {
    let table = table(&[["陳美玲", "acme.example", "66.0"], ["Zoë", "", "7.5"]]);
    let expected = "\
contact  organisation  strength
陳美玲   acme.example      66.0
Zoë                         7.5
";
    assert_eq!(printed(&table, Format::Table, None, Colour::Off), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_numbers_stay_whole() {
    let long = "Maximiliane Alexandrine von Hohenfels-Waldburg";
    let table = table(&[
        [long, "a-company-with-a-long-name.example", "100.0"],
        ["株式会社東京総合研究所第二営業部", "x.example", "1234567.5"],
    ]);
    for width in [120, 80, 60, 45, 31, 29] {
        let text = printed(&table, Format::Table, Some(width), Colour::Off);
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{width}: {line}");
        }
        assert!(text.contains("1234567.5"), "{width}: {text}");
        assert_eq!(text.contains('…'), width < 93, "{width}: {text}");
    }
}

#[test]
fn colours_do_not_move_columns_and_are_off_when_off() {
    let mut table = Table::new(&COLUMNS);
    table.push(vec![Cell::text("Bo").toned(Tone::Bad), Cell::text("a.example"), Cell::number("3")]);
    let plain = printed(&table, Format::Table, Some(80), Colour::Off);
    let coloured = printed(&table, Format::Table, Some(80), Colour::On);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert!(coloured.starts_with("\u{1b}[1mcontact\u{1b}[0m"), "{coloured:?}");
    assert!(coloured.contains("\u{1b}[31mBo\u{1b}[0m"), "{coloured:?}");
    assert_eq!(without_colours(&coloured), plain);
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn csv_is_rfc_4180_and_holds_no_formula() {
    let table = table(&[
        ["Lee, Ann", "say \"hi\"", "-3.5"],
        ["=HYPERLINK(\"http://x.test\")", "@SUM(A1)", "66"],
        ["+1 555 0100", "-2+3", ""],
        ["\t=1+1", "two\r\nlines", "0"],
        ["＝1", "a-b", "1"],
    ]);
    let expected = "contact,organisation,strength\r\n\
        \"Lee, Ann\",\"say \"\"hi\"\"\",-3.5\r\n\
        \"'=HYPERLINK(\"\"http://x.test\"\")\",'@SUM(A1),66\r\n\
        '+1 555 0100,'-2+3,\r\n\
        '=1+1,two  lines,0\r\n\
        '＝1,a-b,1\r\n";
    assert_eq!(printed(&table, Format::Csv, Some(20), Colour::On), expected);
}

#[test]
fn names_cannot_steer_a_terminal() {
    for (name, expected) in [
        ("Bo\u{1b}[2J\u{7}Li", "Bo[2JLi"),
        ("abc\u{202e}fdp.exe", "abcfdp.exe"),
        ("zero\u{200b}\u{feff}width", "zerowidth"),
        ("\u{9b}31mred", "31mred"),
        (" two\nlines\ttabbed ", "two lines tabbed"),
        ("tag\u{e0041}ged", "tagged"),
        ("Łucja Núñez 陳", "Łucja Núñez 陳"),
    ] {
        assert_eq!(clean(name), expected, "{name:?}");
        let text = printed(&table(&[[name, name, name]]), Format::Table, None, Colour::Off);
        assert_eq!(text.lines().count(), 2, "{name:?}");
        assert!(text.contains(expected), "{name:?}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}']), "{name:?}");
    }
}

#[test]
fn json_keeps_every_letter_but_escapes_what_would_steer() {
    let data = serde_json::json!([{ "contact": "a\u{202e}b\u{9b}\u{1b}\u{e0041}陳\u{2028}" }]);
    let mut out = Vec::new();
    print(&mut out, Format::Json, Look::PLAIN, &Table::default(), &data).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\"a\\u202eb\\u009b\\u001b\\udb40\\udc41陳\\u2028\""), "{text}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), data);
}

#[test]
fn a_closed_pipe_is_quiet_in_every_format_and_a_full_disk_is_not() {
    struct Failing(io::ErrorKind);
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }
    let table = table(&[["Bo", "a.example", "1"]]);
    for format in [Format::Table, Format::Json, Format::Csv] {
        let result = |kind| {
            quietly(print(&mut Failing(kind), format, Look::PLAIN, &table, &[1]))
                .map_err(|error| error.kind())
        };
        assert_eq!(result(io::ErrorKind::BrokenPipe), Ok(()), "{format:?}");
        let full = io::ErrorKind::StorageFull;
        assert_eq!(result(full), Err(full), "{format:?}");
    }
}

#[test]
fn colours_are_for_terminals_without_no_color() {
    use Colour::{Off, On};
    for (terminal, no_color, term, colour) in [
        (None, None, Some("xterm"), Off),
        (Some(80), None, Some("xterm"), On),
        (Some(80), None, None, On),
        (Some(80), Some("1"), Some("xterm"), Off),
        (Some(80), Some(""), Some("xterm"), On),
        (Some(80), None, Some("dumb"), Off),
    ] {
        let look = Look::decide(terminal, no_color.map(OsStr::new), term.map(OsStr::new));
        assert_eq!(look.colour, colour, "{terminal:?} {no_color:?} {term:?}");
        assert_eq!(look.width, terminal.map(usize::from), "{terminal:?}");
    }
}
