//! Names of Kubernetes' API: `k8s.io/apimachinery/pkg/util/validation`.

/// The longest name, and the longest value of a label.
const LONGEST_NAME: usize = 63;
/// The longest prefix of a name.
const LONGEST_PREFIX: usize = 253;

/// What is wrong with the key of a label or taint: `IsQualifiedName`.
pub(super) fn qualified_name_problem(text: &str) -> Option<&'static str> {
    let (prefix, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => return Some("it has more than one slash"),
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    match prefix {
        Some("") => Some("there is nothing before the slash"),
        Some(prefix) if prefix.len() > LONGEST_PREFIX => {
            Some("what stands before the slash has more than 253 characters")
        }
        Some(prefix) if !is_dns_subdomain(prefix) => {
            Some("what stands before the slash is no DNS name in lower case")
        }
        _ if name.is_empty() => Some("it has no name"),
        _ => label_value_problem(name),
    }
}

/// What is wrong with the value of a label or taint: `IsValidLabelValue`.
pub(super) fn label_value_problem(text: &str) -> Option<&'static str> {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_outer = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if bytes.len() > LONGEST_NAME {
        Some("it has more than 63 characters")
    } else if !bytes.iter().all(is_inner) {
        Some("only letters, digits, '-', '_' and '.' are allowed")
    } else if !is_outer(bytes.first()) || !is_outer(bytes.last()) {
        Some("it must begin and end with a letter or a digit")
    } else {
        None
    }
}

/// `IsDNS1123Subdomain`, but for the length.
fn is_dns_subdomain(text: &str) -> bool {
    let is_outer = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.split('.').all(|part| {
        let bytes = part.as_bytes();
        bytes.iter().all(|byte| is_outer(byte) || *byte == b'-')
            && bytes.first().is_some_and(is_outer)
            && bytes.last().is_some_and(is_outer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_qualified_names() {
        let long = |count| "a".repeat(count);
        for key in ["a", "A.b_c-9", "example.com/x", "a/B", &long(63)] {
            assert_eq!(qualified_name_problem(key), None, "{key}");
        }
        assert_eq!(qualified_name_problem(&format!("{}/x", long(253))), None);
        assert!(qualified_name_problem(&format!("{}/x", long(254))).is_some());
        for key in [
            "",
            "a/b/c",
            "/x",
            "x/",
            "Upper.com/x",
            "a..b/x",
            "-a",
            "a b",
            &long(64),
        ] {
            assert!(qualified_name_problem(key).is_some(), "{key}");
        }
    }

    #[test]
    fn values_are_short_words_or_nothing() {
        for value in ["", "a", "1.2", "A_b", &"a".repeat(63)] {
            assert_eq!(label_value_problem(value), None, "{value}");
        }
        for value in ["a b", "a/b", ".a", "a-", "é", &"a".repeat(64)] {
            assert!(label_value_problem(value).is_some(), "{value}");
        }
    }
}
