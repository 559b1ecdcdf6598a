//! What took the place of things that older releases had.

/// Flags that are gone, without dashes.
const FLAGS: [(&str, &str); 2] = [
    (
        "loglevel",
        "use `-v 1` and higher for more messages, `-q` for none",
    ),
    (
        "kube-root",
        "give the directory as the argument: `kind build node-image DIRECTORY`",
    ),
];

/// Commands that are gone.
const COMMANDS: [([&str; 2], &str); 2] = [
    (
        ["get", "kubeconfig-path"],
        "`kind create cluster` writes to the usual kubeconfig; `kind get kubeconfig` prints a cluster's own, \
         `kind export kubeconfig --kubeconfig FILE` writes it to a file",
    ),
    (
        ["build", "base-image"],
        "base images are not built with this command; `kind build node-image --base-image` takes one",
    ),
];

/// What to use now instead of something on this command line, if anything there is of an older release.
pub(crate) fn find_replacement(words: &[String]) -> Option<&'static str> {
    let words = || words.iter().take_while(|word| *word != "--");
    let is_flag = |word: &String, flag: &str| {
        let name = word.strip_prefix("--");
        name.is_some_and(|name| name.split('=').next() == Some(flag))
    };
    let flag = FLAGS
        .iter()
        .find(|(flag, _)| words().any(|word| is_flag(word, flag)));
    let command = COMMANDS.iter().find(|(path, _)| {
        let plain: Vec<_> = words().filter(|word| !word.starts_with('-')).collect();
        plain.windows(2).any(|pair| pair == path)
    });
    flag.map(|(_, text)| *text)
        .or_else(|| command.map(|(_, text)| *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_words_are_known() {
        for (line, known) in [
            ("create cluster --loglevel debug", true),
            ("--loglevel=debug version", true),
            ("get kubeconfig-path --name x", true),
            ("-q build base-image", true),
            ("build node-image --kube-root /src", true),
            ("get kubeconfig", false),
            ("load docker-image -- --loglevel", false),
        ] {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(find_replacement(&words).is_some(), known, "{line}");
        }
    }
}
