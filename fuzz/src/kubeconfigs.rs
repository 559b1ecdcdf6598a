//! The user's kubeconfig.

const ENTRY: &str = "\
apiVersion: v1
clusters:
- cluster:
    server: https://127.0.0.1:1
  name: kind-fuzz
contexts:
- context:
    cluster: kind-fuzz
    user: kind-fuzz
  name: kind-fuzz
current-context: kind-fuzz
kind: Config
preferences: {}
users:
- name: kind-fuzz
  user:
    client-key-data: S0U=
";

/// An entry is merged into a kubeconfig or that is refused; merging twice is merging once; removing
/// gives a kubeconfig without the entry.
pub fn kubeconfig(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = kind::merge_kubeconfig(ENTRY, text);
    let Ok(merged) = kind::merge_kubeconfig(text, ENTRY) else {
        return;
    };
    let again = kind::merge_kubeconfig(&merged, ENTRY).expect("what was written is read");
    assert_eq!(again, merged);
    let removed = kind::remove_from_kubeconfig(&merged, "fuzz").expect("what was written is read");
    let removed = removed.expect("the entry was there");
    let none = kind::remove_from_kubeconfig(&removed, "fuzz").expect("what was written is read");
    assert_eq!(none, None, "{removed}");
}
