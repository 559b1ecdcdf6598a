//! Where the files of a user are, by the XDG base directory specification.
//!
//! Root's are the machine's own. Everybody else's are below the home directory, or where the `XDG_…` variables
//! say; a variable with a relative path does not count, as the specification has it, and neither does a place
//! that this user cannot write to: variables of another user are easily inherited, through `su` for example.

use std::path::{Path, PathBuf};

/// Whose files they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Root, whoever's environment it has: `sudo` may keep that.
    Root,
    /// Anybody else.
    Ordinary,
}

/// What decides about directories.
pub(crate) struct Surroundings<'a> {
    pub(crate) user: User,
    /// A variable that holds a path.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    /// Whether the user can make files in a directory, which may itself have to be made.
    pub(crate) writable: &'a dyn Fn(&Path) -> bool,
}

/// Directories of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directories {
    /// What the native engine and builds keep: nodes, images.
    pub(crate) state: PathBuf,
    /// What builds can use again, and make again if it is gone.
    pub(crate) cache: PathBuf,
    /// What is gone when a command ends, and logs of failures. It may be large.
    pub(crate) temporary: PathBuf,
}

impl Directories {
    /// Finds them. Nothing is made.
    pub(crate) fn find_directories(around: &Surroundings<'_>) -> Self {
        Self {
            state: around.lasting_directory("KIND_STATE_DIR", &STATE),
            cache: around.lasting_directory("KIND_CACHE_DIR", &CACHE),
            temporary: around.temporary_directory(),
        }
    }
}

/// A kind of lasting files.
struct Purpose {
    /// Root's directory.
    system: &'static str,
    /// The variable that names the user's.
    variable: &'static str,
    /// Where that is below the home directory if the variable does not say.
    below_home: &'static str,
    /// The name of a directory beside others of kind.
    name: &'static str,
}

const STATE: Purpose = Purpose {
    system: "/var/lib/kind",
    variable: "XDG_STATE_HOME",
    below_home: ".local/state",
    name: "state",
};

const CACHE: Purpose = Purpose {
    system: "/var/cache/kind",
    variable: "XDG_CACHE_HOME",
    below_home: ".cache",
    name: "cache",
};

impl Surroundings<'_> {
    /// A variable that holds an absolute path.
    fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).filter(|path| path.is_absolute())
    }

    fn lasting_directory(&self, own: &str, purpose: &Purpose) -> PathBuf {
        if let Some(chosen) = (self.variable)(own) {
            // Others are told of it, whose current directory is another.
            return std::path::absolute(&chosen).unwrap_or(chosen);
        }
        if self.user == User::Root {
            return purpose.system.into();
        }
        let home = self.home.as_ref().filter(|home| home.is_absolute());
        let candidates = [
            self.absolute_path(purpose.variable)
                .map(|path| path.join("kind")),
            home.map(|home| home.join(purpose.below_home).join("kind")),
            // Without a home that can be written to; it is there as long as the user is logged in.
            self.absolute_path("XDG_RUNTIME_DIR")
                .map(|path| path.join("kind").join(purpose.name)),
        ];
        let mut candidates: Vec<_> = candidates.into_iter().flatten().collect();
        let chosen = candidates.iter().position(|path| (self.writable)(path));
        if candidates.is_empty() {
            // Whoever needs it is told that it cannot be written to.
            purpose.system.into()
        } else {
            candidates.swap_remove(chosen.unwrap_or(0))
        }
    }

    fn temporary_directory(&self) -> PathBuf {
        let runtime = || self.absolute_path("XDG_RUNTIME_DIR");
        let candidates = [
            (self.variable)("TMPDIR"),
            Some("/tmp".into()),
            Some("/var/tmp".into()),
            // Last, because it is in memory as a rule.
            runtime(),
        ];
        let mut usable = candidates.into_iter().flatten();
        usable
            .find(|path| path.is_dir() && (self.writable)(path))
            .unwrap_or_else(|| "/tmp".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: (&str, &str) = ("HOME", "/home/u");

    /// The state and the cache directory, where nothing below `/no` can be written to.
    fn found(user: User, variables: &[(&str, &str)]) -> [String; 2] {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let found = Directories::find_directories(&Surroundings {
            user,
            variable: &variable,
            home: variable("HOME"),
            writable: &|path| !path.starts_with("/no"),
        });
        [found.state, found.cache].map(|path| path.display().to_string())
    }

    const RUNTIME: (&str, &str) = ("XDG_RUNTIME_DIR", "/run/user/7");

    /// Variables, and the state and the cache directory that they lead to.
    type Case = (&'static [(&'static str, &'static str)], [&'static str; 2]);

    const USUAL: [&str; 2] = ["/home/u/.local/state/kind", "/home/u/.cache/kind"];
    const IN_MEMORY: [&str; 2] = ["/run/user/7/kind/state", "/run/user/7/kind/cache"];

    const CASES: [Case; 10] = [
        (&[HOME], USUAL),
        (
            &[
                HOME,
                ("XDG_STATE_HOME", "/x/s"),
                ("XDG_CACHE_HOME", "/x/c"),
                RUNTIME,
            ],
            ["/x/s/kind", "/x/c/kind"],
        ),
        // Relative ones do not count.
        (
            &[HOME, ("XDG_STATE_HOME", "s"), ("XDG_CACHE_HOME", "./c")],
            USUAL,
        ),
        // Another user's do not either.
        (
            &[HOME, ("XDG_STATE_HOME", "/no"), ("XDG_CACHE_HOME", "/no")],
            USUAL,
        ),
        // A home that is read-only, missing or relative.
        (&[("HOME", "/no/home"), RUNTIME], IN_MEMORY),
        (&[RUNTIME], IN_MEMORY),
        (&[("HOME", "home"), RUNTIME], IN_MEMORY),
        // Nothing will do: what is told is the most likely place.
        (
            &[("HOME", "/no/home"), ("XDG_RUNTIME_DIR", "/no/run")],
            ["/no/home/.local/state/kind", "/no/home/.cache/kind"],
        ),
        (&[], ["/var/lib/kind", "/var/cache/kind"]),
        (
            &[
                HOME,
                ("KIND_STATE_DIR", "/no/own"),
                ("KIND_CACHE_DIR", "/no/cache"),
            ],
            ["/no/own", "/no/cache"],
        ),
    ];

    #[test]
    fn an_ordinary_users_files_are_the_users() {
        for (variables, expected) in CASES {
            assert_eq!(found(User::Ordinary, variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn roots_files_are_the_machines() {
        let inherited = [
            HOME,
            ("XDG_STATE_HOME", "/home/u/s"),
            ("XDG_CACHE_HOME", "/home/u/c"),
            RUNTIME,
        ];
        let expected = ["/var/lib/kind", "/var/cache/kind"];
        assert_eq!(found(User::Root, &[]), expected);
        assert_eq!(found(User::Root, &inherited), expected, "as sudo keeps it");
        let own = [HOME, ("KIND_STATE_DIR", "/a/s"), ("KIND_CACHE_DIR", "/a/c")];
        assert_eq!(found(User::Root, &own), ["/a/s", "/a/c"]);
    }

    #[test]
    fn a_chosen_place_is_the_same_from_everywhere() {
        let here = std::env::current_dir().unwrap();
        let [state, cache] = found(User::Root, &[("KIND_STATE_DIR", "own")]);
        assert_eq!(Path::new(&state), here.join("own"));
        assert_eq!(cache, "/var/cache/kind");
    }

    #[test]
    fn temporary_files_are_where_they_can_be_written() {
        let [good, bad] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [good, bad] = [good.path(), bad.path()];
        let none = bad.join("none");
        for (temporary, runtime, refused, expected) in [
            (Some(good), None, &[][..], good),
            (None, None, &[], Path::new("/tmp")),
            (Some(bad), None, &[bad], Path::new("/tmp")),
            (Some(none.as_path()), None, &[], Path::new("/tmp")),
            (None, None, &["/tmp".as_ref()], Path::new("/var/tmp")),
            (
                None,
                Some(good),
                &["/tmp".as_ref(), "/var/tmp".as_ref()],
                good,
            ),
        ] {
            let variable = |name: &str| match name {
                "TMPDIR" => temporary.map(Path::to_owned),
                "XDG_RUNTIME_DIR" => runtime.map(Path::to_owned),
                _ => None,
            };
            let found = Directories::find_directories(&Surroundings {
                user: User::Ordinary,
                variable: &variable,
                home: None,
                writable: &|path| !refused.contains(&path),
            });
            assert_eq!(found.temporary, expected);
        }
    }
}
