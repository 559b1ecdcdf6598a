//! Corefiles.

use kind_node::corefile::{self, Directive, Environment, ServerBlock};

/// One variable, and files that import each other.
struct Surroundings;

impl Environment for Surroundings {
    fn variable(&self, name: &str) -> String {
        if name == "ZONE" {
            "example.org".to_owned()
        } else {
            String::new()
        }
    }

    fn files(&self, pattern: &str) -> Vec<(String, String)> {
        match pattern {
            "more" => vec![(
                "more".to_owned(),
                "log\nimport more\nimport more".to_owned(),
            )],
            _ if pattern.contains('*') => vec![("one".to_owned(), "errors {\n}".to_owned())],
            _ => Vec::new(),
        }
    }
}

/// Every server block has keys, every problem is at a line of the text, and what is written down again is read
/// as the same.
pub fn corefile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let blocks = match corefile::parse(text, "Corefile", &Surroundings) {
        Ok(blocks) => blocks,
        Err(error) => {
            let lines = text.lines().count().max(1);
            let inside = (1..=lines).contains(&error.place.line);
            assert!(&*error.place.file != "Corefile" || inside, "{error}");
            return;
        }
    };
    assert!(blocks.iter().all(|block| !block.keys.is_empty()));
    let words = blocks.iter().flat_map(words);
    if words.into_iter().any(|word| !is_plain(word)) {
        return;
    }
    let written: String = blocks.iter().map(write).collect();
    let read = corefile::parse(&written, "Corefile", &Surroundings);
    let read = read.unwrap_or_else(|error| panic!("{error}: {written}"));
    let again: String = read.iter().map(write).collect();
    assert_eq!(again, written);
}

/// Words that mean only themselves wherever they stand.
fn is_plain(word: &str) -> bool {
    let special = |c: char| c.is_whitespace() || "{}\"\\#,()".contains(c);
    !word.is_empty() && word != "import" && !word.contains(special)
}

fn words(block: &ServerBlock) -> Vec<&str> {
    let mut words: Vec<&str> = block.keys.iter().map(|key| key.text.as_str()).collect();
    block
        .directives
        .iter()
        .for_each(|one| collect(one, &mut words));
    words
}

fn collect<'a>(directive: &'a Directive, words: &mut Vec<&'a str>) {
    words.push(&directive.name);
    words.extend(directive.arguments.iter().map(String::as_str));
    directive.block.iter().for_each(|one| collect(one, words));
}

fn write(block: &ServerBlock) -> String {
    let keys: Vec<&str> = block.keys.iter().map(|key| key.text.as_str()).collect();
    let lines: String = block.directives.iter().map(write_directive).collect();
    format!("{} {{\n{lines}}}\n", keys.join(" "))
}

fn write_directive(directive: &Directive) -> String {
    let mut line = directive.name.clone();
    for argument in &directive.arguments {
        line.push(' ');
        line.push_str(argument);
    }
    if !directive.block.is_empty() {
        let lines: String = directive.block.iter().map(write_directive).collect();
        line = format!("{line} {{\n{lines}}}");
    }
    line + "\n"
}
