//! Corefiles that kubeadm writes, edits that people make, and what is said of those that are wrong.

use super::*;

/// Surroundings with one `resolv.conf`.
pub(crate) struct Nothing;

impl Environment for Nothing {
    fn variable(&self, _: &str) -> String {
        String::new()
    }

    fn files(&self, pattern: &str) -> Vec<(String, String)> {
        let text = match pattern {
            "/etc/resolv.conf" => "nameserver 192.0.2.53\nsearch corp.example\n",
            "corp.hosts" => "192.0.2.7 file.example # comment\n",
            _ => return Vec::new(),
        };
        vec![(pattern.to_owned(), text.to_owned())]
    }
}

pub(crate) fn read(text: &str) -> Result<(Configuration, Vec<Problem>), Vec<Problem>> {
    Configuration::read_blocks(text, "Corefile", &Nothing)
}

/// The server block for all names with one directive.
pub(crate) fn block(directive: &str) -> Block {
    let (configuration, problems) = read(&format!(". {{\n{directive}\n}}")).unwrap();
    assert_eq!(problems, []);
    configuration.blocks.into_iter().next().unwrap()
}

/// The problems of a text, each in one line.
fn problems(text: &str) -> Vec<String> {
    let problems = match read(text) {
        Ok((_, problems)) | Err(problems) => problems,
    };
    problems.iter().map(ToString::to_string).collect()
}

/// kubeadm's of Kubernetes 1.20, of 1.36, and those that the tests of Kubernetes itself write.
#[test]
fn known_corefiles_are_understood_as_a_whole() {
    for (name, text) in [
        (
            "kubeadm 1.20",
            include_str!("testdata/corefiles/kubeadm-1.20"),
        ),
        (
            "kubeadm 1.36",
            include_str!("testdata/corefiles/kubeadm-1.36"),
        ),
        (
            "stub domain",
            include_str!("testdata/corefiles/e2e-stub-domain"),
        ),
        (
            "server of a test",
            include_str!("testdata/corefiles/e2e-server"),
        ),
        ("edits", include_str!("testdata/corefiles/edits")),
    ] {
        assert!(read(text).is_ok(), "{name}: {:?}", problems(text));
        assert_eq!(problems(text), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn edits_are_read() {
    let (configuration, _) = read(include_str!("testdata/corefiles/edits")).unwrap();
    let [all, stub, reverse] = configuration.blocks.as_slice() else {
        panic!("{:?}", configuration.blocks);
    };
    assert_eq!(all.keys, [(Name::root(), 53)]);
    assert_eq!(
        (all.rewrite.len(), all.templates.len(), all.forward.len()),
        (3, 1, 2)
    );
    assert!(all.loadbalance && all.hosts.as_ref().is_some_and(|hosts| hosts.entries() >= 3));
    assert_eq!(all.forward[1].servers.len(), 1);
    assert_eq!(configuration.lameduck, Some(Duration::from_secs(5)));
    assert!(configuration.uses_pods() && configuration.uses_kubernetes());
    let keys: Vec<String> = stub
        .keys
        .iter()
        .map(|(zone, port)| format!("{zone}:{port}"))
        .collect();
    assert_eq!(keys, ["acme.local.:53", "corp.acme.:1053"]);
    assert!(stub.forward[0].force_tcp);
    assert_eq!(reverse.keys[0].0.to_ascii(), "0.10.in-addr.arpa.");
    assert_eq!(
        configuration.ports().into_iter().collect::<Vec<_>>(),
        [53, 1053]
    );
}

#[test]
fn what_is_invalid_is_named_by_line_and_directive() {
    for (text, expected) in [
        ("", "Corefile:1: has no server block"),
        (". {\n hots {\n }\n}", "Corefile:2: hots: unknown directive"),
        (
            ". {\n errors\n forward .\n}",
            "Corefile:3: forward: needs from 1 to 15 servers",
        ),
        (
            ". {\n forward . nowhere\n}",
            "Corefile:2: forward: \"nowhere\" is neither an address nor a file",
        ),
        (
            ". {\n kubernetes cluster.local {\n  pods maybe\n }\n}",
            "Corefile:3: kubernetes pods: must be disabled, insecure or verified",
        ),
        (
            ". {\n cache 30\n cache 20\n}",
            "Corefile:3: cache: may stand only once in a server block",
        ),
        (
            ". {\n errors\n}\n. {\n errors\n}",
            "Corefile:4: .:53 is served already",
        ),
        (
            "a..b {\n errors\n}",
            "Corefile:1: \"a..b\" is not a zone with a port",
        ),
        (". {\n errors", "Corefile:2: a brace is not closed"),
        (
            ". {\n hosts {\n  192.0.2 a\n }\n}",
            "Corefile:3: hosts 192.0.2: is neither an address nor a property",
        ),
        (
            ". {\n health {\n  lameduck soon\n }\n}",
            "Corefile:3: health lameduck: \"soon\" is not a duration such as 5s",
        ),
        (". {\n rewrite name regex ( x\n}", "Corefile:2: rewrite: "),
        (
            ". {\n cache {\n  success 10 0\n }\n}",
            "Corefile:3: cache success: needs a time of one second or more",
        ),
        (
            ". {\n cache {\n  servfail 6m\n }\n}",
            "Corefile:3: cache servfail: must be at most 5m",
        ),
    ] {
        assert!(read(text).is_err(), "{text}");
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{text}: {problems:?}");
    }
}

#[test]
fn what_is_not_supported_leaves_the_rest_in_force() {
    for (line, expected) in [
        (
            "dns64",
            "dns64: not supported; names are answered without it",
        ),
        (
            "file db.example",
            "file: not supported; names are answered without it",
        ),
        (
            "forward . tls://9.9.9.9",
            "forward: not supported; servers cannot be asked over tls",
        ),
        (
            "template IN A {\n answer \"{{ if .Name }}\"\n }",
            "template: not supported; {{ if .Name }} is more of a template than fields",
        ),
        (
            "cache {\n serve_stale\n }",
            "cache serve_stale: not supported; ",
        ),
        (
            "kubernetes a {\n labels a=b\n }",
            "kubernetes labels: not supported; ",
        ),
        (
            "health :8090",
            "health: not supported; the page stays at port 8080",
        ),
        (
            "rewrite edns0 local set 0xffee a",
            "rewrite: not supported; ",
        ),
    ] {
        let text = format!(". {{\n {line}\n errors\n}}");
        let (configuration, _) = read(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert!(configuration.blocks[0].plugins.contains("errors"));
        let problems = problems(&text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let (_, told) = problems[0].split_once(": ").unwrap();
        assert!(told.starts_with(expected), "{problems:?}");
    }
}

/// What is said of a template must not take its names from plugins behind it.
#[test]
fn template_with_a_text_that_is_not_supported_answers_nothing() {
    for line in ["answer", "additional", "authority"] {
        let text = format!(
            ". {{\n template IN A {{\n answer \"a. A 192.0.2.1\"\n {line} \"{{{{ if .Name }}}}\"\n}}\n errors\n}}"
        );
        let (configuration, problems) = read(&text).unwrap();
        let block = &configuration.blocks[0];
        assert!(block.templates.is_empty() && !block.plugins.contains("template"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].place.line, 2);
    }
}

/// CoreDNS tells such blocks apart by more than their keys.
#[test]
fn of_blocks_that_only_views_or_addresses_tell_apart_one_is_in_force() {
    let view = "a.example {\n view v {\n expr true\n }\n log\n}\n";
    let bound = "a.example {\n bind 127.0.0.1\n log\n}\n";
    let plain = "a.example {\n errors\n}\n";
    let served = "not supported; a.example.:53 is served by another server block";
    for (texts, in_force, line) in [
        ([view, plain], "errors", 1),
        ([plain, view], "errors", 4),
        ([view, view], "log", 7),
        ([bound, bound], "log", 5),
        ([view, bound], "log", 1),
    ] {
        let text = texts.concat();
        let (configuration, _) = read(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(configuration.blocks.len(), 1, "{text}");
        assert!(configuration.blocks[0].plugins.contains(in_force), "{text}");
        let expected = format!("Corefile:{line}: {served}");
        assert!(
            problems(&text).contains(&expected),
            "{text}: {:?}",
            problems(&text)
        );
    }
    let other = format!("{view}b.example a.example:1053 {{\n log\n}}");
    assert_eq!(read(&other).unwrap().0.blocks.len(), 2);
}

/// Every plugin that this server says it does not have, it really does not have.
#[test]
fn other_plugins_are_named() {
    for name in OTHERS.iter().chain(&MORE_OTHERS) {
        let text = format!(". {{\n {name}\n}}");
        assert_eq!(problems(&text).len(), 1, "{name}");
    }
}

proptest::proptest! {
    /// Whatever words directives have, they are read or named, and nothing else happens.
    #[test]
    fn any_words_are_read_or_named(
        plugin in proptest::sample::select(vec![
            "forward", "hosts", "rewrite", "template", "cache", "log", "kubernetes", "autopath", "health",
            "ready", "prometheus", "loadbalance", "reload",
        ]),
        words in proptest::collection::vec("[a-z0-9./:{}()*-]{1,8}|name|IN|A|regex|answer|auto|\\.|/etc/resolv\\.conf", 0..6),
        line in proptest::collection::vec("[a-z_]{1,8}|class|ttl|match|answer|success|pods|except|[0-9.]{1,9}", 0..5),
    ) {
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let text = format!(". {{\n{plugin} {} {{\n{}\n}}\n}}", words.join(" "), line.join(" "));
        match read(&text) {
            Ok((configuration, _)) => proptest::prop_assert_eq!(configuration.blocks.len(), 1),
            Err(problems) => proptest::prop_assert!(problems.iter().all(|one| one.place.line <= 5)),
        }
    }
}
