//! The user's home directory on Windows, where several variables may name one.

use std::path::{Path, PathBuf};

/// What is known of a directory that may be the user's home.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HomeCandidate {
    /// It has a `.kube/config`.
    pub has_kubeconfig: bool,
    /// It is there.
    pub exists: bool,
    /// It can be written to.
    pub writable: bool,
}

impl HomeCandidate {
    /// Looks at a directory.
    pub fn look(path: &Path) -> Self {
        let found = path.metadata();
        Self {
            has_kubeconfig: path.join(".kube").join("config").exists(),
            exists: found.is_ok(),
            writable: found.is_ok_and(|found| !found.permissions().readonly()),
        }
    }
}

/// The home directory by client-go's rules for Windows; `None` if no variable names one. `variable`
/// gives the value of a variable, `look` what is known of a directory.
///
/// Of `HOME`, `HOMEDRIVE` with `HOMEPATH`, and `USERPROFILE` it is the first with a kubeconfig; else of
/// `HOME`, `USERPROFILE`, and `HOMEDRIVE` with `HOMEPATH` the first that can be written to, or that is
/// there, or that is set.
pub fn windows_home(
    variable: impl Fn(&str) -> Option<PathBuf>,
    look: impl Fn(&Path) -> HomeCandidate,
) -> Option<PathBuf> {
    let named = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    let drive = named("HOMEDRIVE")
        .zip(named("HOMEPATH"))
        .map(|(drive, path)| {
            let mut whole = drive.into_os_string();
            whole.push(path);
            PathBuf::from(whole)
        });
    let (home, profile) = (named("HOME"), named("USERPROFILE"));
    let with_kubeconfig = [&home, &drive, &profile];
    let otherwise = [&home, &profile, &drive];
    let first = |order: [&Option<PathBuf>; 3], fits: &dyn Fn(HomeCandidate) -> bool| {
        let mut set = order.into_iter().flatten();
        set.find(|path| fits(look(path))).cloned()
    };
    first(with_kubeconfig, &|found| found.has_kubeconfig)
        .or_else(|| first(otherwise, &|found| found.exists && found.writable))
        .or_else(|| first(otherwise, &|found| found.exists))
        .or_else(|| first(otherwise, &|_| true))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The home where these variables are set, and directories are as their names say: `k` has a
    /// kubeconfig, `w` can be written to, `e` is there.
    fn home(variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let look = |path: &Path| {
            let name = path.to_str().unwrap();
            HomeCandidate {
                has_kubeconfig: name.contains('k'),
                exists: name.contains(['k', 'w', 'e']),
                writable: name.contains(['k', 'w']),
            }
        };
        windows_home(variable, look).map(|path| path.display().to_string())
    }

    #[test]
    fn the_first_that_fits_best() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("HOME", "")], None),
            (&[("HOME", "x"), ("USERPROFILE", "y")], Some("x")),
            (&[("USERPROFILE", "y"), ("HOMEDRIVE", "C:")], Some("y")),
            (&[("HOME", "w"), ("USERPROFILE", "k")], Some("k")),
            (&[("HOME", "k"), ("USERPROFILE", "k2")], Some("k")),
            (
                &[
                    ("HOMEDRIVE", "C:"),
                    ("HOMEPATH", "\\k"),
                    ("USERPROFILE", "k2"),
                ],
                Some("C:\\k"),
            ),
            (&[("HOME", "e"), ("USERPROFILE", "w")], Some("w")),
            (&[("HOME", "x"), ("USERPROFILE", "e")], Some("e")),
            (
                &[
                    ("HOMEDRIVE", "C:"),
                    ("HOMEPATH", "\\w"),
                    ("USERPROFILE", "w2"),
                ],
                Some("w2"),
            ),
            (&[("HOMEDRIVE", "C:"), ("HOMEPATH", "\\x")], Some("C:\\x")),
        ] {
            assert_eq!(home(variables).as_deref(), expected, "{variables:?}");
        }
    }
}
