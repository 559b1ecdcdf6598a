//! What a command says, without what is another each time.

use std::path::Path;

use regex_lite::Regex;

use crate::Failure;

/// What differs between runs, and what stands for it.
const DIFFERENT: [(&str, &str); 14] = [
    // The first lines that are said while something is waited for depend on how fast the machine is.
    (r"(?m)^.* so far.*\n", ""),
    (r"kind-logs-[A-Za-z0-9-]+", "kind-logs"),
    (r"(sha256:)?[0-9a-f]{12,}", "HEX"),
    (r"/[0-9]+\.log\b", "/N.log"),
    // Pods of the control plane start at once, and which of them fails first is chance.
    (r#"\("(kube-[a-z-]+|etcd)-faults-\S*"#, "(\"POD"),
    (r#"connection from "[^"]*""#, "connection from \"PEER\""),
    (r"\bpid [0-9]+", "pid N"),
    (r"\b172\.[0-9]+\.[0-9]+\.[0-9]+", "ADDRESS"),
    (r"\bv[0-9]+\.[0-9]+\.[0-9]+\b", "VERSION"),
    (r"\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9:.]+Z?", "TIME"),
    (r"\b([IWEF])[0-9]{4} [0-9:.]+ +[0-9]+ ", "${1}TIME "),
    (r"\bfor [0-9]+ s\b", "for N s"),
    (r"\b[0-9.]+ [KMG]iB\b", "SIZE"),
    (r"(?m)[ \t]+$", ""),
];

/// The text with everything else.
pub(super) fn normalize(text: &str, directory: &Path) -> Result<String, Failure> {
    let mut text = text.replace(&*directory.to_string_lossy(), "DIRECTORY");
    for (pattern, replacement) in DIFFERENT {
        let pattern = Regex::new(pattern)?;
        text = pattern.replace_all(&text, replacement).into_owned();
    }
    Ok(format!("{}\n", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_runs_goes() {
        let said = "a: b has taken 46s so far; c\n\
                    /x/y/tmp/kind-logs-faults-52 \n\
                    /var/log/pods/etcd_c703fa44977b42de4e38263b6e0475cd/etcd/1.log\n\
                    W1129 11:41:42.269995       1 a.go:1] b\n\
                    syncing pod (\"kube-apiserver-faults-contro … rejected connection from \"127.0.0.1:52\" (c\n\
                    in use by xtask (pid 7) at 172.18.0.2:80 since 2026-11-29T09:00:00.5Z, v1.20.2\n\n";
        let normal = "DIRECTORY/tmp/kind-logs\n\
                      /var/log/pods/etcd_HEX/etcd/N.log\n\
                      WTIME a.go:1] b\n\
                      syncing pod (\"POD … rejected connection from \"PEER\" (c\n\
                    in use by xtask (pid N) at ADDRESS:80 since TIME, VERSION\n";
        assert_eq!(normalize(said, Path::new("/x/y")).unwrap(), normal);
    }
}
