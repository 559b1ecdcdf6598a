//! crictl's command line, as far as this program knows it.

use std::path::PathBuf;

use super::usage::UsageError;

/// What is asked for, of whom, and how the answer shall look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// containerd's socket.
    pub(super) socket: PathBuf,
    pub(super) command: Command,
    pub(super) form: Form,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Images, or only the one of that name.
    Images(Option<String>),
    /// All about images.
    InspectImages(Vec<String>),
    /// Fetches an image from its registry.
    Pull(String),
    RemoveImages(Vec<String>),
    /// Containers, the running ones or all.
    Containers(Which),
    /// Pods' sandboxes.
    Pods,
    /// Whether containerd is ready.
    Info,
    /// containerd's version.
    Version,
    /// This program's version.
    OwnVersion,
}

/// Which containers are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Running,
    All,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// What the command prints if nothing is said.
    Usual,
    Json,
    /// Only ids, one a line.
    Ids,
}

const SOCKET: &str = "/run/containerd/containerd.sock";

/// Reads the words after the program's name.
pub(super) fn parse_command_line(words: &[String]) -> Result<CommandLine, UsageError> {
    let mut words = Words::new(words);
    let mut socket = PathBuf::from(SOCKET);
    let mut own_version = false;
    let name = loop {
        let Some(word) = words.next() else {
            break None;
        };
        match word.as_str() {
            "-r" | "--runtime-endpoint" | "-i" | "--image-endpoint" => {
                socket = endpoint_path(&words.value(&word)?);
            }
            // There is nothing to configure but the endpoint, and the kernel ends a local connection.
            "-c" | "--config" | "-t" | "--timeout" => drop(words.value(&word)?),
            "-D" | "--debug" => {}
            "-v" | "--version" => own_version = true,
            _ => break Some(word),
        }
    };
    let (command, form) = match name {
        Some(name) => parse_command(&name, words)?,
        None if own_version => (Command::OwnVersion, Form::Usual),
        None => {
            return Err(UsageError::Unsupported(
                "a call without a command".to_owned(),
            ));
        }
    };
    Ok(CommandLine {
        socket,
        command,
        form,
    })
}

fn parse_command(name: &str, words: Words) -> Result<(Command, Form), UsageError> {
    let options = Options::read(words)?;
    let (all, form) = (options.all, options.form);
    let command = match name {
        "images" | "image" | "img" => Command::Images(options.one(name)?),
        "inspecti" => Command::InspectImages(options.some("inspecti")?),
        "pull" => {
            let image = options.one(name)?;
            Command::Pull(image.ok_or(UsageError::NoImageGiven("pull"))?)
        }
        "rmi" => Command::RemoveImages(options.some("rmi")?),
        "ps" => {
            options.none(name)?;
            Command::Containers(if all { Which::All } else { Which::Running })
        }
        "pods" => options.none(name).map(|()| Command::Pods)?,
        "info" => options.none(name).map(|()| Command::Info)?,
        "version" => options.none(name).map(|()| Command::Version)?,
        _ => return Err(UsageError::Unsupported(format!("the command {name:?}"))),
    };
    if all && !matches!(command, Command::Containers(_)) {
        return Err(UsageError::Unsupported(format!("{name} --all")));
    }
    Ok((command, form))
}

/// What stands after the command's name.
struct Options {
    all: bool,
    form: Form,
    /// The first option that no command has.
    unknown: Option<String>,
    operands: Vec<String>,
}

impl Options {
    fn read(mut words: Words) -> Result<Self, UsageError> {
        let mut options = Self {
            all: false,
            form: Form::Usual,
            unknown: None,
            operands: Vec::new(),
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "-a" | "--all" => options.all = true,
                "-q" | "--quiet" => options.form = Form::Ids,
                "-o" | "--output" => options.form = parse_form(&words.value(&word)?)?,
                _ if word.starts_with('-') => drop(options.unknown.get_or_insert(word)),
                _ => options.operands.push(word),
            }
        }
        Ok(options)
    }

    fn none(&self, name: &str) -> Result<(), UsageError> {
        match self.unknown.as_ref().or(self.operands.first()) {
            None => Ok(()),
            Some(word) => Err(UsageError::Unsupported(format!("{name} {word}"))),
        }
    }

    fn one(mut self, name: &str) -> Result<Option<String>, UsageError> {
        let first = (!self.operands.is_empty()).then(|| self.operands.remove(0));
        self.none(name).map(|()| first)
    }

    fn some(mut self, name: &'static str) -> Result<Vec<String>, UsageError> {
        let operands = std::mem::take(&mut self.operands);
        self.none(name)?;
        if operands.is_empty() {
            return Err(UsageError::NoImageGiven(name));
        }
        Ok(operands)
    }
}

fn parse_form(word: &str) -> Result<Form, UsageError> {
    match word {
        "json" => Ok(Form::Json),
        "table" => Ok(Form::Usual),
        _ => Err(UsageError::Unsupported(format!("the output form {word:?}"))),
    }
}

fn endpoint_path(endpoint: &str) -> PathBuf {
    endpoint.strip_prefix("unix://").unwrap_or(endpoint).into()
}

/// The words of a command line, an option and its value being apart.
struct Words(std::vec::IntoIter<String>);

impl Words {
    fn new(words: &[String]) -> Self {
        let apart = words.iter().flat_map(|word| {
            let pair = word.split_once('=').filter(|_| word.starts_with('-'));
            match pair {
                Some((option, value)) => vec![option.to_owned(), value.to_owned()],
                None => vec![word.clone()],
            }
        });
        Self(apart.collect::<Vec<_>>().into_iter())
    }

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }

    fn value(&mut self, option: &str) -> Result<String, UsageError> {
        let missing = || UsageError::Unsupported(format!("{option} without a value"));
        self.next().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<CommandLine, UsageError> {
        parse_command_line(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn what_kind_and_kubeadm_call_is_known() {
        let image = || "docker.io/library/x:1".to_owned();
        for (line, command, form) in [
            ("images", Command::Images(None), Form::Usual),
            ("images -o json", Command::Images(None), Form::Json),
            (
                "images -q docker.io/library/x:1",
                Command::Images(Some(image())),
                Form::Ids,
            ),
            (
                "inspecti docker.io/library/x:1",
                Command::InspectImages(vec![image()]),
                Form::Usual,
            ),
            (
                "inspecti --output=json docker.io/library/x:1",
                Command::InspectImages(vec![image()]),
                Form::Json,
            ),
            (
                "pull docker.io/library/x:1",
                Command::Pull(image()),
                Form::Usual,
            ),
            (
                "rmi docker.io/library/x:1",
                Command::RemoveImages(vec![image()]),
                Form::Usual,
            ),
            ("ps", Command::Containers(Which::Running), Form::Usual),
            ("ps -a -q", Command::Containers(Which::All), Form::Ids),
            ("pods -q", Command::Pods, Form::Ids),
            ("info", Command::Info, Form::Usual),
            ("version", Command::Version, Form::Usual),
            ("--version", Command::OwnVersion, Form::Usual),
        ] {
            let line = parsed(line).unwrap();
            assert_eq!((line.command, line.form), (command, form));
            assert_eq!(line.socket, PathBuf::from(SOCKET));
        }
    }

    #[test]
    fn the_socket_can_be_another() {
        for line in [
            "--runtime-endpoint unix:///other.sock info",
            "-r /other.sock --debug --timeout 10s info",
            "--image-endpoint=unix:///other.sock -c /etc/crictl.yaml info",
        ] {
            assert_eq!(
                parsed(line).unwrap().socket,
                PathBuf::from("/other.sock"),
                "{line}"
            );
        }
    }

    #[test]
    fn the_rest_is_refused_by_name() {
        for (line, word) in [
            ("", "without a command"),
            ("exec -it x sh", "\"exec\""),
            ("-r", "-r without a value"),
            ("images --digests", "images --digests"),
            ("images a b", "images b"),
            ("images -a", "images --all"),
            ("ps -o yaml", "\"yaml\""),
            ("pods x", "pods x"),
            ("rmi --prune", "rmi --prune"),
            ("rmi -a x", "rmi --all"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.to_string().contains(word), "{line}: {error}");
        }
        for line in ["pull", "rmi", "inspecti"] {
            assert!(matches!(parsed(line), Err(UsageError::NoImageGiven(name)) if name == line));
        }
    }
}
