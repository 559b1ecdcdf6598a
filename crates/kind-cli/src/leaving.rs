//! What a command says that is ended before it could clean up.

use kind::Leftover;

use crate::exit::Failure;

/// The failure of a command that the user did not want to wait for.
pub(crate) fn left_at_once(leftovers: &[Leftover], provider: Option<&str>) -> Failure {
    let kind = match provider {
        Some(provider) => format!("kind --provider {provider}"),
        None => "kind".to_owned(),
    };
    let told = leftovers
        .iter()
        .map(|leftover| describe_leftover(leftover, &kind));
    let (left, remedies) = told.unzip();
    Failure::Left { left, remedies }
}

/// What may be left, and what removes it.
fn describe_leftover(leftover: &Leftover, kind: &str) -> (String, String) {
    match leftover {
        Leftover::Nodes { cluster } => (
            format!("nodes of cluster {cluster:?}"),
            format!("`{kind} delete cluster --name {cluster}` removes them"),
        ),
        Leftover::Remains { cluster } => (
            format!("nodes or kubeconfig entries of cluster {cluster:?}"),
            format!("`{kind} delete cluster --name {cluster}` removes them"),
        ),
        Leftover::HalfRunning { cluster } => (
            format!("cluster {cluster:?} with only some of its nodes running"),
            format!(
                "`{kind} start cluster --name {cluster}` or `{kind} stop cluster --name {cluster}` makes \
                 them alike"
            ),
        ),
        Leftover::ImageParts { cluster } => (
            format!("parts of images in nodes of cluster {cluster:?}"),
            "the nodes' containerd removes them by itself; load the images again to have them whole"
                .to_owned(),
        ),
        Leftover::Logs { directory } => (
            format!("incomplete logs in {}", directory.display()),
            format!("`rm -r {}` removes them", directory.display()),
        ),
        Leftover::BuildParts { directory } => (
            format!("unfinished results of the build in {}", directory.display()),
            "the next build does not use them; `kind prune --build-cache` removes all results"
                .to_owned(),
        ),
        _ => ("something unfinished".to_owned(), "give the command again".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use kind::Code;

    use super::*;

    #[test]
    fn what_is_left_is_named_with_what_removes_it() {
        let nodes = Leftover::Nodes {
            cluster: "a".to_owned(),
        };
        let build = Leftover::BuildParts {
            directory: "/cache".into(),
        };
        let failure = left_at_once(&[build, nodes], Some("native"));
        assert_eq!(
            failure.message(),
            "interrupted and left at once; there may be unfinished results of the build in /cache, nodes of \
             cluster \"a\""
        );
        assert_eq!(
            failure.remedy().unwrap(),
            "the next build does not use them; `kind prune --build-cache` removes all results\n\
             `kind --provider native delete cluster --name a` removes them"
        );
        assert_eq!(
            (failure.code(), failure.exit().code()),
            (Code::Cancelled, 130)
        );
    }

    #[test]
    fn what_leaves_nothing_says_so_in_a_word() {
        let failure = left_at_once(&[], None);
        assert_eq!(failure.message(), "interrupted");
        assert_eq!(failure.remedy(), None);
    }
}
