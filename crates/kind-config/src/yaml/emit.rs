//! Values to text, in the layout of Kubernetes' own tools (`sigs.k8s.io/yaml`): keys sorted, two
//! spaces a level, list items not indented under their key, quotes only where a reader needs them,
//! text folded at the first space after 80 columns.

use serde::Serialize;

use super::fold::LineFolder;
use super::scalar::is_sexagesimal;
use super::{Error, Mapping, Scalar, Value, key_order};

/// Writes a value as one block-style document that ends in a line break.
pub fn emit(value: &Value) -> String {
    let mut emitter = Emitter::default();
    emitter.document(value);
    emitter.out
}

/// Writes a value as [`emit`] does, but with keys in the order that they have and without folding.
pub fn emit_in_order(value: &Value) -> String {
    let mut emitter = Emitter {
        unsorted: true,
        ..Emitter::default()
    };
    emitter.document(value);
    emitter.out
}

/// Writes anything that serde can serialise, as [`emit`] does.
///
/// # Errors
/// The value has no JSON form, for example because of a map whose keys are not text.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let json = serde_json::to_value(value).map_err(|error| Error::Type(error.to_string()))?;
    Ok(emit(&json.into()))
}

#[derive(Default)]
struct Emitter {
    out: String,
    /// Keys stay in their order.
    unsorted: bool,
}

impl Emitter {
    fn document(&mut self, value: &Value) {
        match value {
            Value::Mapping(mapping) if !mapping.is_empty() => self.mapping(mapping, 0),
            Value::Sequence(items) if !items.is_empty() => self.sequence(items, 0),
            _ => {
                self.inline(value, 0);
                self.out.push('\n');
            }
        }
    }

    /// Writes entries; the first one goes where the text stands, the others on lines of their own.
    fn mapping(&mut self, mapping: &Mapping, indent: usize) {
        let mut entries: Vec<_> = mapping.iter().collect();
        if !self.unsorted {
            entries.sort_by(|(left, _), (right, _)| key_order::compare_keys(left, right));
        }
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 {
                self.spaces(indent);
            }
            self.key(key);
            match value {
                Value::Mapping(mapping) if !mapping.is_empty() => {
                    self.out.push('\n');
                    self.spaces(indent + 2);
                    self.mapping(mapping, indent + 2);
                }
                Value::Sequence(items) if !items.is_empty() => {
                    self.out.push('\n');
                    self.spaces(indent);
                    self.sequence(items, indent);
                }
                _ => self.end_of_line(value, indent),
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.spaces(indent);
            }
            self.out.push('-');
            match item {
                Value::Mapping(mapping) if !mapping.is_empty() => {
                    self.out.push(' ');
                    self.mapping(mapping, indent + 2);
                }
                Value::Sequence(items) if !items.is_empty() => {
                    self.out.push(' ');
                    self.sequence(items, indent + 2);
                }
                _ => self.end_of_line(item, indent),
            }
        }
    }

    fn end_of_line(&mut self, value: &Value, indent: usize) {
        let before = self.out.len();
        self.out.push(' ');
        self.inline(value, indent);
        if self.out.len() == before + 1 {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn inline(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Plain(text) => self.out.push_str(text),
            Value::Text(text) => self.text(text, indent),
            Value::Sequence(_) => self.out.push_str("[]"),
            Value::Mapping(_) => self.out.push_str("{}"),
        }
    }

    fn text(&mut self, text: &str, indent: usize) {
        let shape = ScalarTraits::of(text);
        if text.contains('\n') && shape.fits_block() {
            self.literal(text, indent + 2);
        } else {
            let fold = if self.unsorted {
                LineFolder::never()
            } else {
                LineFolder::below(&self.out, indent + 2)
            };
            self.line(text, &shape, fold);
        }
    }

    fn key(&mut self, key: &str) {
        self.line(key, &ScalarTraits::of(key), LineFolder::never());
        self.out.push(':');
    }

    fn line(&mut self, text: &str, shape: &ScalarTraits, mut fold: LineFolder) {
        let typed = text.is_empty()
            || text == "<<"
            || Scalar::of(text) != Scalar::Text
            || is_sexagesimal(text);
        if typed || text.contains('\n') || shape.special {
            self.double_quoted(text, &mut fold);
        } else if shape.fits_plain() {
            self.plain(text, &mut fold);
        } else {
            self.single_quoted(text, &mut fold);
        }
    }

    fn plain(&mut self, text: &str, fold: &mut LineFolder) {
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let single = characters.peek() != Some(&' ');
            if !(single && fold.breaks_at(character, &mut self.out)) {
                self.out.push(character);
                fold.wrote(character, 1);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, fold: &mut LineFolder) {
        self.out.push('\'');
        fold.wrote('\'', 1);
        let mut characters = text.chars().enumerate().peekable();
        while let Some((index, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let inside = index > 0 && next.is_some_and(|next| next != ' ');
            if inside && fold.breaks_at(character, &mut self.out) {
                continue;
            }
            let count = if character == '\'' { 2 } else { 1 };
            self.out.extend(std::iter::repeat_n(character, count));
            fold.wrote(character, count);
        }
        self.out.push('\'');
    }

    fn double_quoted(&mut self, text: &str, fold: &mut LineFolder) {
        self.out.push('"');
        fold.wrote('"', 1);
        let mut characters = text.chars().enumerate().peekable();
        while let Some((index, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if index > 0 && next.is_some() && fold.breaks_at(character, &mut self.out) {
                if next == Some(' ') {
                    // A reader drops spaces at the beginning of a line.
                    self.out.push('\\');
                    fold.escaped();
                }
                continue;
            }
            let before = self.out.len();
            self.escaped(character);
            let written = self.out[before..].chars().count();
            fold.wrote(character, written);
        }
        self.out.push('"');
    }

    fn escaped(&mut self, character: char) {
        let short = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ if is_printable(character) => return self.out.push(character),
            _ => {
                let code = u32::from(character);
                self.out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
                return;
            }
        };
        self.out.push('\\');
        self.out.push(short);
    }

    /// Writes `|`, its hints, and the lines, without the last line break.
    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        match text.strip_suffix('\n') {
            None => self.out.push('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.out.push('\n');
            if !line.is_empty() {
                self.spaces(indent);
                self.out.push_str(line);
            }
        }
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }
}

/// What a text holds that decides how it can be written.
struct ScalarTraits {
    /// Characters that only double quotes can hold, or blanks that other styles lose.
    special: bool,
    /// A blank at either end.
    edge_blank: bool,
    ends_in_space: bool,
    /// Something YAML would take for its own sign.
    indicator: bool,
}

impl ScalarTraits {
    fn of(text: &str) -> Self {
        Self {
            special: text.chars().any(|c| !is_printable(c))
                || text.contains(" \n")
                || text.contains(['\u{85}', '\u{2028}', '\u{2029}']),
            edge_blank: text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']),
            ends_in_space: text.ends_with(' '),
            indicator: has_indicator(text),
        }
    }

    fn fits_plain(&self) -> bool {
        !self.special && !self.edge_blank && !self.indicator
    }

    fn fits_block(&self) -> bool {
        !self.special && !self.ends_in_space
    }
}

fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let followed_by_blank = blank(characters.peek().copied());
        let found = match character {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`' => before.is_none(),
            '?' | '-' => before.is_none() && followed_by_blank,
            ':' => followed_by_blank,
            '#' => blank(before),
            _ => false,
        };
        if found {
            return true;
        }
        before = Some(character);
    }
    false
}

/// What libyaml writes as it is: no control characters, nothing beyond the basic plane.
fn is_printable(character: char) -> bool {
    matches!(character,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::yaml::{documents, parse};

    fn written(json: serde_json::Value) -> String {
        emit(&json.into())
    }

    #[test]
    fn quotes_as_kubernetes_tools_do() {
        for (text, written_as) in [
            ("", "\"\""),
            ("a", "a"),
            ("a b", "a b"),
            ("true", "\"true\""),
            ("no", "\"no\""),
            ("y", "\"y\""),
            ("null", "\"null\""),
            ("5", "\"5\""),
            ("1.5", "\"1.5\""),
            ("0x10", "\"0x10\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("12:30", "\"12:30\""),
            ("::", "'::'"),
            ("::1", "::1"),
            ("fd00:10:244::/56", "fd00:10:244::/56"),
            ("0%", "0%"),
            ("v1.36.1", "v1.36.1"),
            ("kind-control-plane:6443", "kind-control-plane:6443"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("a#b", "a#b"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("'", "''''"),
            ("it's", "it's"),
            ("[a]", "'[a]'"),
            ("a[0]", "a[0]"),
            ("*", "'*'"),
            ("%a", "'%a'"),
            (" a", "' a'"),
            ("a ", "'a '"),
            ("---", "'---'"),
            ("<<", "\"<<\""),
            ("a\tb", "\"a\\tb\""),
            ("\u{1b}[m", "\"\\e[m\""),
            ("\u{1f389}", "\"\\U0001F389\""),
            ("é", "é"),
            ("a\nb", "|-\n  a\n  b"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\n\n", "|+\n  a\n"),
            ("\na", "|2-\n\n  a"),
            ("a \nb", "\"a \\nb\""),
        ] {
            assert_eq!(written(json!({ "k": text })), format!("k: {written_as}\n"));
        }
    }

    #[test]
    fn lays_out_as_kubernetes_tools_do() {
        let value = json!({
            "list": [1, "a", [true, []], {"b": {"c": null}, "a": ["x"]}],
            "empty": {"list": [], "map": {}},
            "true": 1.5,
            "script": "a\n",
        });
        assert_eq!(
            written(value),
            "empty:\n  list: []\n  map: {}\nlist:\n- 1\n- a\n- - true\n  - []\n- a:\n  - x\n  b:\n    c: null\n\
             script: |\n  a\n\"true\": 1.5\n"
        );
        assert_eq!(written(json!(null)), "null\n");
        assert_eq!(written(json!([])), "[]\n");
        assert_eq!(written(json!("a\nb")), "|-\n  a\n  b\n");
    }

    /// As Go's emitter: at the first space behind the 80th column, never inside of several spaces.
    #[test]
    fn folds_long_text() {
        let words = |count: usize| vec!["wordy"; count].join(" ");
        // Four columns and thirteen words are 81.
        let (first, rest) = (words(13), words(4));
        assert_eq!(
            written(json!({ "k": { "l": [words(17)] } })),
            format!("k:\n  l:\n  - {first}\n    {rest}\n")
        );
        assert_eq!(
            written(json!({ "k": words(14) })),
            format!("k: {}\n", words(14))
        );
        let (colon, tab) = (format!("{first} a: b"), format!("{first} a\t b"));
        assert_eq!(
            written(json!({ "k": colon })),
            format!("k: '{first}\n  a: b'\n")
        );
        assert_eq!(
            written(json!({ "k": tab })),
            format!("k: \"{first}\n  a\\t b\"\n")
        );
        let unbroken = "x".repeat(200);
        assert_eq!(
            written(json!({ "k": unbroken })),
            format!("k: {unbroken}\n")
        );
        let wide = format!("{}  {}", words(14), words(2));
        assert_eq!(
            written(json!({ "k": wide })),
            format!("k: {}  wordy\n  wordy\n", words(14))
        );
    }

    #[test]
    fn leaves_untouched_scalars_as_they_were() {
        let text = "a: 012345\nb: yes\nc: 1.0\nd: 2001-01-01\ne: \"012345\"\nf: ~\n";
        assert_eq!(emit(&parse(text).unwrap()), text);
    }

    #[test]
    fn writes_recorded_files_byte_for_byte() {
        for case in kind_testkit::golden::create_cases() {
            for node in case.nodes {
                let Some(text) = node.files.get("kubeadm.conf") else {
                    continue;
                };
                let written: Vec<String> = documents(text).unwrap().iter().map(emit).collect();
                assert_eq!(written.join("---\n"), *text);
            }
        }
        let text = kind_testkit::golden::read("create/default/kubeconfig.yaml");
        assert_eq!(emit(&parse(&text).unwrap()), text);
    }

    /// Text of the characters that YAML treats in special ways.
    fn text() -> impl Strategy<Value = String> {
        let characters = "[ a-c0-2.:#,?!|>&*%@`'\"\\\\\\[\\]{}~<=_+\\-\n\t\ré\u{85}\u{2028}\u{feff}\u{1f389}\u{0}]{0,8}";
        let long = "([a-c:#'\"]{1,9}[ ]{1,3}){10,20}[a-c\t]{1,30}";
        prop_oneof![4 => characters, 2 => any::<String>(), 1 => long]
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|value| json!(value)),
            any::<i64>().prop_map(|value| json!(value)),
            (-1e6..1e6).prop_map(|value: f64| json!(value + 0.5)),
            text().prop_map(|value| json!(value)),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
                prop::collection::btree_map(text(), inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    /// Numbers that are whole read back as whole numbers.
    fn normal(value: &serde_json::Value) -> serde_json::Value {
        Value::from(value.clone()).to_json()
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in value()) {
            let text = written(value.clone());
            let read = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            prop_assert_eq!(read.to_json(), normal(&value), "{}", text);
            prop_assert_eq!(emit(&read), text);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in text()) {
            let _ = parse(&text);
        }
    }
}
