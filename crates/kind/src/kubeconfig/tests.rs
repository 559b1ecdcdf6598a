//! Cases of the kubeconfig rules, recorded and generated.

use proptest::prelude::*;

use super::*;

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
    document::parse(text).unwrap()
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
    encode(&merge(parsed(existing), &parsed(KIND)).unwrap())
}

fn without(existing: &str, cluster: &str) -> Option<String> {
    let mut document = parsed(existing);
    remove(&mut document, cluster).then(|| encode(&document))
}

#[test]
fn kubeadms_document_gets_our_names() {
    let document = from_admin(ADMIN, "kind", Some("https://127.0.0.1:1")).unwrap();
    assert_eq!(encode(&document), KIND);
    let internal = from_admin(ADMIN, "kind", None).unwrap();
    assert!(encode(&internal).contains("server: https://kind-control-plane:6443\n"));
}

#[test]
fn kubeadms_document_must_hold_one_of_each() {
    let text = ADMIN.replace("users: [", "users: [{name: b}, ");
    let error = from_admin(&text, "kind", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "kubeadm KUBECONFIG should have one user, but read 2"
    );
    assert!(from_admin("", "kind", None).is_err());
    assert!(from_admin("\t", "kind", None).is_err());
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
    let empty = parsed("");
    assert!(merge(parsed(&other("a", "")), &empty).is_err());
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
    assert_eq!(without(&merged(&kops), "kind"), Some(kops));
}

#[test]
fn files_are_made_changed_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("deep/config"));
    let read = || std::fs::read_to_string(files.write_target()).unwrap();
    remove_everywhere(&files, "kind").unwrap();
    assert!(!files.write_target().exists());
    write_merged(&files, &parsed(KIND)).unwrap();
    assert_eq!(read(), KIND);
    let untouched = "# mine\nclusters: []\n";
    std::fs::write(files.write_target(), untouched).unwrap();
    remove_everywhere(&files, "kind").unwrap();
    assert_eq!(read(), untouched);
}

#[test]
fn a_file_that_is_no_yaml_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let files = KubeconfigFiles::one(directory.path().join("config"));
    std::fs::write(files.write_target(), "a: [").unwrap();
    let error = write_merged(&files, &parsed(KIND)).unwrap_err();
    let text = crate::error::chain(&error);
    assert!(
        text.starts_with("failed to get kubeconfig to merge: yaml: "),
        "{text}"
    );
    let error = remove_everywhere(&files, "kind").unwrap_err();
    let text = crate::error::chain(&error);
    assert!(
        text.starts_with("failed to read kubeconfig to remove KIND entry: yaml: "),
        "{text}"
    );
    assert_eq!(
        std::fs::read_to_string(files.write_target()).unwrap(),
        "a: ["
    );
}

proptest! {
    #[test]
    fn merging_and_removing_gives_what_was_there(
        names in proptest::collection::btree_set("[a-z]{1,8}", 1..5),
        token in "[0-9]{1,8}|[a-z]{1,8}|'.{0,8}'|true|~|1e3|0x1f",
    ) {
        let token = token.replace(['\n', '\r'], "");
        let mut text = "apiVersion: v1\nkind: Config\nx-token: ".to_owned() + &token + "\n";
        for list in ["clusters", "contexts", "users"] {
            text.push_str(&format!("{list}:\n"));
            for name in &names {
                text.push_str(&format!("- name: \"{name}\"\n"));
            }
        }
        let Ok(before) = document::parse(&text) else { return Ok(()) };
        let mut after = merge(before.clone(), &parsed(KIND)).unwrap();
        prop_assert!(remove(&mut after, "kind"));
        prop_assert_eq!(encode(&after), encode(&before));
    }
}
