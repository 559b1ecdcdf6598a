//! `kind completion`: scripts for shells, and the hidden command that they ask for candidates.

use crate::args::{ArgRule, Command, Flag, Matches};
use crate::context::Context;
use crate::document::CompletionScript;
use crate::exit::{Exit, Failure};
use crate::help::flags_of;

/// The table entry.
pub(super) static COMMAND: Command = Command {
    about: ABOUT,
    children: &[&BASH, &FISH, &POWERSHELL, &ZSH],
    ..Command::new(
        "completion",
        "Output shell completion code for the specified shell (bash, zsh or fish)",
    )
};

const ABOUT: &str = "Prints the code that completes kind's commands in a shell.

bash:        source <(kind completion bash)
fish:        kind completion fish | source
powershell:  kind completion powershell | Out-String | Invoke-Expression
zsh:         source <(kind completion zsh)

To keep it, write the output to a file that the shell reads when it starts.";

static BASH: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| script(context, "bash", include_str!("completion/bash.sh"))),
    ..Command::new("bash", "Output shell completions for bash")
};

static FISH: Command = Command {
    action: Some(|_, context| script(context, "fish", include_str!("completion/fish.fish"))),
    ..Command::new("fish", "Output shell completions for fish")
};

static POWERSHELL: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| {
        script(
            context,
            "powershell",
            include_str!("completion/powershell.ps1"),
        )
    }),
    ..Command::new("powershell", "Output shell completions for powershell")
};

static ZSH: Command = Command {
    rule: ArgRule::None,
    action: Some(|_, context| script(context, "zsh", include_str!("completion/zsh.zsh"))),
    ..Command::new("zsh", "Output shell completions for zsh")
};

/// Candidates with descriptions.
pub(super) static COMPLETE: Command = Command {
    hidden: true,
    verbatim: true,
    action: Some(|matches, context| complete(matches, context, Descriptions::Shown)),
    ..Command::new("__complete", "Prints candidates for the last word")
};

/// Candidates only.
pub(super) static COMPLETE_NO_DESCRIPTIONS: Command = Command {
    hidden: true,
    verbatim: true,
    action: Some(|matches, context| complete(matches, context, Descriptions::Hidden)),
    ..Command::new("__completeNoDesc", "Prints candidates for the last word")
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Descriptions {
    Shown,
    Hidden,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn script(context: &Context, shell: &str, text: &str) -> Result<Exit, Failure> {
    let script = CompletionScript {
        shell: shell.to_owned(),
        script: text.to_owned(),
    };
    context.ui.result(&script, || text.to_owned());
    Ok(Exit::Success)
}

/// What the shell does with candidates, as cobra's scripts number it.
const NO_FILES: u8 = 4;
const DEFAULT: u8 = 0;

fn complete(
    matches: &Matches,
    context: &Context,
    descriptions: Descriptions,
) -> Result<Exit, Failure> {
    let (words, last) = match matches.positionals.split_last() {
        Some((last, words)) => (words, last.as_str()),
        None => (&[][..], ""),
    };
    let (candidates, directive) =
        candidates(words, last, |matches| cluster_names(context, matches));
    let mut text = String::new();
    for (word, description) in candidates {
        match descriptions {
            Descriptions::Shown => text.push_str(&format!("{word}\t{description}\n")),
            Descriptions::Hidden => text.push_str(&format!("{word}\n")),
        }
    }
    context.ui.data(&format!("{text}:{directive}\n"));
    context
        .ui
        .warn(&format!("Completion ended with directive: {directive}"));
    Ok(Exit::Success)
}

/// Words that may stand where `last` stands, with their descriptions.
fn candidates(
    words: &[String],
    last: &str,
    clusters: impl Fn(&Matches) -> Vec<String>,
) -> (Vec<(String, &'static str)>, u8) {
    let mut path = vec![&super::ROOT];
    for word in words {
        if let Some(child) = path.last().and_then(|command| command.child(word)) {
            path.push(child);
        }
    }
    let flags = flags_of(&path);
    let begins = |text: &str| text.starts_with(last);
    let flag_before = words.last().and_then(|word| open_flag(&flags, word));
    if let Some(flag) = flag_before {
        let names = match flag.name {
            "name" => clusters(&Matches::default()),
            _ => return (Vec::new(), DEFAULT),
        };
        let names = names.into_iter().filter(|name| begins(name));
        return (names.map(|name| (name, "")).collect(), NO_FILES);
    }
    if last.starts_with('-') {
        let named = flags
            .iter()
            .map(|flag| (format!("--{}", flag.name), flag.help));
        return (named.filter(|(name, _)| begins(name)).collect(), NO_FILES);
    }
    let children = path.last().map_or(&[][..], |command| command.children);
    let children = children
        .iter()
        .filter(|child| !child.hidden && begins(child.name));
    let mut found: Vec<_> = children
        .map(|child| (child.name.to_owned(), child.summary))
        .collect();
    found.sort();
    (found, NO_FILES)
}

/// The flag whose value comes next.
fn open_flag<'a>(flags: &'a [Flag], word: &str) -> Option<&'a Flag> {
    let flag = flags.iter().find(|flag| {
        let long = word.strip_prefix("--") == Some(flag.name);
        long || flag.short.is_some_and(|short| word == format!("-{short}"))
    });
    flag.filter(|flag| !flag.stands_alone())
}

/// Clusters that exist; none if that cannot be found out.
fn cluster_names(context: &Context, matches: &Matches) -> Vec<String> {
    let provider = context.provider(matches).ok();
    provider
        .and_then(|provider| provider.clusters().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &[&str], last: &str) -> Vec<String> {
        let words: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        let (found, _) = candidates(&words, last, |_| vec!["one".to_owned(), "two".to_owned()]);
        found.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn commands_flags_and_clusters_are_candidates() {
        assert_eq!(named(&["get"], ""), ["clusters", "kubeconfig", "nodes"]);
        assert_eq!(named(&[], "de"), ["delete"]);
        assert_eq!(named(&["create", "cluster"], "--w"), ["--wait"]);
        assert_eq!(named(&["delete", "cluster", "--name"], "t"), ["two"]);
        assert!(named(&["create", "cluster", "--config"], "").is_empty());
    }
}
