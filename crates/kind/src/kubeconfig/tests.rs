//! Cases of the kubeconfig rules, recorded and generated.

use kind_testkit::machine::SmallDisk;
use proptest::prelude::*;

use super::document::Document;
use super::*;
use crate::{CancelToken, Code};

const KIND: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://127.0.0.1:1
  name: kind-kind
contexts:
- context:
    cluster: kind-kind
    user: kind-kind
  name: kind-kind
current-context: kind-kind
kind: Config
preferences: {}
users:
- name: kind-kind
  user:
    client-key-data: S0U=
";

const ADMIN: &str = "\
apiVersion: v1
clusters: [{name: kubernetes, cluster: {server: 'https://kind-control-plane:6443', certificate-authority-data: Q0E=}}]
contexts: [{name: kubernetes-admin@kubernetes, context: {cluster: kubernetes, user: kubernetes-admin}}]
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users: [{name: kubernetes-admin, user: {client-key-data: S0U=}}]
";

fn parsed(text: &str) -> Document {
    document::parse_document(text).unwrap()
}

/// A file with one entry of everything, named `name`.
fn other(name: &str, extra: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://{name}\n  name: {name}\n\
         contexts:\n- context:\n    cluster: {name}\n    user: {name}\n  name: {name}\n{extra}\
         kind: Config\npreferences: {{}}\nusers:\n- name: {name}\n  user:\n    token: 012345\n"
    )
}

fn merged(existing: &str) -> String {
    text::merge_text(existing, &parsed(KIND)).unwrap()
}

fn without(existing: &str, cluster: &str) -> Option<String> {
    text::remove_from_text(existing, cluster).unwrap()
}

#[test]
fn kubeadms_document_gets_our_names() {
    let document = from_admin(ADMIN, "kind", Some("https://127.0.0.1:1")).unwrap();
    assert_eq!(encode_document(&document), KIND);
    let internal = from_admin(ADMIN, "kind", None).unwrap();
    assert!(encode_document(&internal).contains("server: https://kind-control-plane:6443\n"));
}

#[test]
fn kubeadms_document_must_hold_one_of_each() {
    for (clusters, contexts, users, wrong) in [
        (1, 1, 1, None),
        (5, 5, 5, Some("cluster, but read 5")),
        (1, 1, 2, Some("user, but read 2")),
        (2, 1, 1, Some("cluster, but read 2")),
        (1, 2, 1, Some("context, but read 2")),
        (0, 1, 1, Some("cluster, but read 0")),
    ] {
        let list = |name: &str, count: usize| {
            format!("{name}: [{}]\n", vec!["{name: a}"; count].join(", "))
        };
        let text = list("clusters", clusters) + &list("contexts", contexts) + &list("users", users);
        let error = from_admin(&text, "kind", None)
            .err()
            .map(|error| error.to_string());
        let expected = wrong.map(|wrong| format!("kubeadm KUBECONFIG should have one {wrong}"));
        assert_eq!(error, expected);
    }
    assert!(from_admin("", "kind", None).is_err());
    assert!(from_admin("\t", "kind", None).is_err());
}

/// Whoever runs kubectl is a user of the host, and the document is a node's.
#[test]
fn nothing_that_a_node_adds_gets_into_the_entry() {
    let admin = "\
apiVersion: v1
extensions: [{name: x, extension: {}}]
preferences: {colors: true}
clusters:
- name: kubernetes
  extensions: []
  cluster:
    server: https://kind-control-plane:6443
    certificate-authority-data: Q0E=
    certificate-authority: /etc/shadow
    proxy-url: http://node.test
    insecure-skip-tls-verify: true
    tls-server-name: other
contexts:
- name: a
  context: {cluster: b, user: c, namespace: d, extensions: []}
users:
- name: kubernetes-admin
  user:
    client-key-data: S0U=
    client-key: /etc/shadow
    tokenFile: /etc/shadow
    username: a
    exec: {command: /bin/evil}
    auth-provider: {name: gcp, config: {cmd-path: /bin/evil}}
";
    let document = from_admin(admin, "kind", Some("https://127.0.0.1:1")).unwrap();
    assert_eq!(encode_document(&document), KIND);
    for wrong in [
        ADMIN.replace("Q0E=", "{exec: a}"),
        ADMIN.replace("https://kind-control-plane:6443", "http://evil.test"),
    ] {
        assert!(from_admin(&wrong, "kind", None).is_err(), "{wrong}");
    }
}

#[test]
fn merging_replaces_or_appends() {
    assert_eq!(merged(""), KIND);
    assert_eq!(merged(&KIND.replace(":1\n", ":2\n")), KIND);
    let both = merged(&other("kops-blah", "current-context: kops-blah\n"));
    assert!(both.find("name: kops-blah") < both.find("name: kind-kind"));
    assert!(both.contains("current-context: kind-kind\n"));
    assert!(both.contains("token: 012345\n"), "{both}");
    assert_eq!(both.matches("preferences").count(), 1);
}

#[test]
fn an_empty_entry_is_refused() {
    assert!(text::merge_text(&other("a", ""), &parsed("")).is_err());
}

#[test]
fn removing_leaves_the_rest() {
    assert_eq!(without("", "kind"), None);
    assert_eq!(without(&other("kops", ""), "kind"), None);
    let rest = "apiVersion: v1\nkind: Config\npreferences: {}\n";
    assert_eq!(without(KIND, "kind").as_deref(), Some(rest));
    let current = other("kind-foo", "current-context: kops-foo\n");
    let expected = "apiVersion: v1\ncurrent-context: kops-foo\nkind: Config\npreferences: {}\n";
    assert_eq!(without(&current, "foo").as_deref(), Some(expected));
    let kops = other("kops", "");
    assert_eq!(without(&merged(&kops), "kind"), Some(kops.clone()));
    let current = merged(&other("kops", "current-context: kops\n"));
    assert!(current.contains("current-context: kind-kind\n"));
    assert_eq!(without(&current, "kind"), Some(kops));
    assert_eq!(encode_document(&parsed(&current)), current);
    assert_eq!(encode_document(&parsed("")), "");
    assert_eq!(context_name("foobar"), "kind-foobar");
}

#[test]
fn files_are_made_changed_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("deep/config"));
    let read = || std::fs::read_to_string(files.write_target()).unwrap();
    remove_everywhere(&files, "kind", &CancelToken::new()).unwrap();
    assert!(!files.write_target().exists());
    write_merged(&files, &parsed(KIND), &CancelToken::new()).unwrap();
    assert_eq!(read(), KIND);
    let untouched = "# mine\nclusters: []\n";
    std::fs::write(files.write_target(), untouched).unwrap();
    remove_everywhere(&files, "kind", &CancelToken::new()).unwrap();
    assert_eq!(read(), untouched);
}

#[test]
fn a_file_is_looked_at_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("deep/config"));
    check_files(&files).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    // One that is held now may be free when it is needed.
    write_merged(&files, &parsed(KIND), &CancelToken::new()).unwrap();
    std::fs::write(directory.path().join("deep/config.lock"), "").unwrap();
    let held = check_files(&files).unwrap().unwrap();
    assert!(held.contains("deep/config.lock is there, and "), "{held}");
    let beside = KubeconfigFiles::one(files.write_target().join("config"));
    let error = check_files(&beside).unwrap_err();
    assert_eq!(error.code(), Code::KubeconfigLocked);
    assert!(crate::error::error_chain(&error).contains("deep/config: "));
}

#[test]
fn a_full_disk_costs_no_entry_and_leaves_nothing_half() {
    let disk = SmallDisk::new(256 << 10);
    let files = KubeconfigFiles::one(disk.path().join("config"));
    write_merged(&files, &parsed(KIND), &CancelToken::new()).unwrap();
    let before = std::fs::read_to_string(files.write_target()).unwrap();
    disk.fill();
    let entry = parsed(&KIND.replace("kind-kind", "kind-new"));
    let cancel = CancelToken::new();
    for error in [
        check_files(&files).unwrap_err(),
        write_merged(&files, &entry, &cancel).unwrap_err(),
        remove_everywhere(&files, "kind", &cancel).unwrap_err(),
    ] {
        let remedy = error.remedy().unwrap_or_default();
        assert!(
            remedy.starts_with("free some space on the disk of "),
            "{error:?}"
        );
    }
    let after = std::fs::read_to_string(files.write_target()).unwrap();
    assert_eq!(after, before);
    let names = std::fs::read_dir(disk.path()).unwrap();
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config", "filler"]);
    disk.free();
    remove_everywhere(&files, "kind", &cancel).unwrap();
}

/// A cluster without an entry costs no lock: nothing is waited for, and nothing has to be writable.
#[test]
fn an_entry_that_is_not_there_needs_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("config"));
    write_merged(&files, &parsed(KIND), &CancelToken::new()).unwrap();
    std::fs::write(directory.path().join("config.lock"), "").unwrap();
    remove_everywhere(&files, "another", &CancelToken::new()).unwrap();
}

#[test]
fn a_file_that_is_no_yaml_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("config"));
    std::fs::write(files.write_target(), "a: [").unwrap();
    let error = write_merged(&files, &parsed(KIND), &CancelToken::new()).unwrap_err();
    let text = crate::error::error_chain(&error);
    assert!(
        text.starts_with("failed to get kubeconfig to merge: yaml: "),
        "{text}"
    );
    let named = format!("(in {})", files.write_target().display());
    assert!(text.ends_with(&named), "{text}");
    let error = check_files(&files).unwrap_err();
    assert!(crate::error::error_chain(&error).ends_with(&named));
    let error = remove_everywhere(&files, "kind", &CancelToken::new()).unwrap_err();
    let text = crate::error::error_chain(&error);
    assert!(
        text.starts_with("failed to read kubeconfig to remove KIND entry: yaml: "),
        "{text}"
    );
    assert_eq!(
        std::fs::read_to_string(files.write_target()).unwrap(),
        "a: ["
    );
}

/// A kubeconfig as somebody keeps it by hand.
const BY_HAND: &str = "\
# my clusters
users:
  # the token is octal on purpose
  - name: kops
    user: {token: 012345, exec: {command: aws}} # not now

# where
kind: Config
x-mine: yes
clusters:
  -
    name: kops
    cluster:
      certificate-authority-data: \"Q0E=\"
      server: 'https://kops'
apiVersion: v1
contexts: []
# the end
";

#[test]
fn what_is_not_ours_stays_as_it_stands() {
    let after = merged(BY_HAND);
    let added = [
        ("# my clusters\n", "current-context: kind-kind\n"),
        (
            "# not now\n",
            "  - name: kind-kind\n    user:\n      client-key-data: S0U=\n",
        ),
        (
            "server: 'https://kops'\n",
            "  - cluster:\n      certificate-authority-data: Q0E=\n      server: https://127.0.0.1:1\n    \
             name: kind-kind\n",
        ),
    ];
    let mut expected = BY_HAND.replace(
        "contexts: []\n",
        "contexts:\n- context:\n    cluster: kind-kind\n    user: kind-kind\n  name: kind-kind\n",
    );
    for (before, added) in added {
        expected = expected.replacen(before, &format!("{before}{added}"), 1);
    }
    assert_eq!(after, expected);
    assert_eq!(
        without(&after, "kind").as_deref(),
        Some(BY_HAND.replace("contexts: []\n", "").as_str())
    );
}

#[test]
fn unusual_forms_are_written_anew() {
    let json = r#"{"apiVersion": "v1", "kind": "Config", "users": [{"name": "a", "user": {"token": "012"}}]}"#;
    let after = merged(json);
    assert!(
        after.starts_with("apiVersion: v1\nclusters:\n- cluster:\n"),
        "{after}"
    );
    assert!(
        after.contains("- name: a\n  user:\n    token: \"012\"\n"),
        "{after}"
    );
    let inline = "users: [{name: a}]\nkind: Config\n";
    assert!(merged(inline).contains("- name: a\n- name: kind-kind\n"));
    assert_eq!(
        merged("# only a comment\n"),
        format!("# only a comment\n{KIND}")
    );
}

#[test]
fn a_held_lock_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("config"));
    std::fs::write(files.write_target(), KIND).unwrap();
    std::fs::write(directory.path().join("config.lock"), "").unwrap();
    let begun = std::time::Instant::now();
    let error = remove_everywhere(&files, "kind", &CancelToken::new()).unwrap_err();
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2));
    let text = crate::error::error_chain(&error);
    assert!(
        text.starts_with("failed to lock config file: open "),
        "{text}"
    );
    assert!(text.ends_with("config.lock: file exists"), "{text}");
    assert_eq!(error.code(), Code::KubeconfigLocked);
    assert!(error.remedy().unwrap().contains("remove "));
    assert_eq!(std::fs::read_to_string(files.write_target()).unwrap(), KIND);
}

/// A kubeconfig as people have it: other entries in some order and indentation, with comments.
fn kubeconfig() -> impl Strategy<Value = String> {
    let scalar = "[a-z]{1,8}|0[0-9]{1,6}|\"[a-z: #]{0,8}\"|'[a-z: #]{0,8}'|true|1e3|~";
    let gap = "|\n|# [a-z:\\- ]{0,12}\n|\n# x\n\n";
    let names = proptest::collection::btree_set("[a-z]{1,8}", 1..4);
    let list = (names, scalar, gap, proptest::bool::ANY, proptest::bool::ANY);
    let lists = [list.clone(), list.clone(), list].prop_map(|lists| {
        let texts = ["clusters", "contexts", "users"].iter().zip(lists);
        texts
            .map(|(key, (names, scalar, gap, indented, inline))| {
                let dash = if indented { "  -" } else { "-" };
                let mut text = format!("{key}: # of {key}\n");
                for name in names {
                    let item = if inline {
                        format!("{dash} {{name: {name}, x: {scalar}}}\n")
                    } else {
                        format!(
                            "{dash} name: {name}\n{} x: {scalar} # y\n",
                            &dash.replace('-', " ")
                        )
                    };
                    text.push_str(&item);
                    text.push_str(&gap);
                }
                text
            })
            .collect::<Vec<_>>()
    });
    let rest = (gap, scalar).prop_map(|(gap, scalar)| {
        vec![
            "apiVersion: v1\n".to_owned(),
            format!("{gap}kind: Config\n"),
            format!("x-mine: {scalar}\n"),
        ]
    });
    let entries = (lists, rest).prop_map(|(lists, rest)| [lists, rest].concat());
    let order = entries.prop_shuffle();
    (order, proptest::bool::ANY, proptest::bool::ANY).prop_map(|(entries, windows, open_end)| {
        let mut text = entries.concat();
        if open_end {
            text.truncate(text.trim_end().len());
        }
        if windows {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    })
}

proptest! {
    #[test]
    fn merging_and_removing_gives_what_was_there(before in kubeconfig()) {
        let after = merged(&before);
        let mut lines = after.lines();
        for line in before.lines() {
            prop_assert!(lines.any(|other| other == line), "{:?} is gone from\n{}", line, after);
        }
        prop_assert_eq!(merged(&after), after.clone(), "merging again changes nothing");
        prop_assert_eq!(without(&after, "kind"), Some(before));
    }

    #[test]
    fn any_text_is_changed_or_refused(text in "[ \n:\\-\\[\\]{}a-z'\"#&*|]{0,60}") {
        if let Ok(after) = text::merge_text(&text, &parsed(KIND)) {
            prop_assert!(encode_document(&parsed(&after)).contains("current-context: kind-kind\n"));
            prop_assert!(text::remove_from_text(&after, "kind").unwrap().is_some());
        }
    }
}
