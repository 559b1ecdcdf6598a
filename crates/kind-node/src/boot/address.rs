//! A node whose address changed while it was stopped: every file that names the old one is
//! rewritten, and the API server gets a certificate for the new one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::during_step;
use super::{Error, log, program, text};

/// Stands as long as the API server's certificate may not be for the addresses of now: a boot that fails or is killed
/// before there is a new one is not the last to try.
const PENDING: &str = "kind/certificate-pending";
const CERTIFICATE: [&str; 2] = [
    "etc/kubernetes/pki/apiserver.crt",
    "etc/kubernetes/pki/apiserver.key",
];

/// Files in which kubeadm writes the node's address.
const FILES: [&str; 9] = [
    "etc/kubernetes/manifests/etcd.yaml",
    "etc/kubernetes/manifests/kube-apiserver.yaml",
    "etc/kubernetes/manifests/kube-controller-manager.yaml",
    "etc/kubernetes/manifests/kube-scheduler.yaml",
    "etc/kubernetes/controller-manager.conf",
    "etc/kubernetes/scheduler.conf",
    "etc/kubernetes/kubelet.conf",
    "kind/kubeadm.conf",
    "var/lib/kubelet/kubeadm-flags.env",
];

/// Compares the node's addresses with those it had, and follows a change.
pub(super) fn follow_changes(
    root: &Path,
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
) -> Result<(), Error> {
    follow_one(root, "IPv4", "kind/old-ipv4", ipv4.map(IpAddr::from))?;
    match follow_one(root, "IPv6", "kind/old-ipv6", ipv6.map(IpAddr::from)) {
        // A node that lost IPv6 still serves IPv4.
        Err(error @ Error::AddressLost { .. }) => log::error(error),
        result => result?,
    }
    renew_certificate(root, make_certificate)
}

/// Follows one family's address.
fn follow_one(
    root: &Path,
    family: &'static str,
    record: &str,
    current: Option<IpAddr>,
) -> Result<(), Error> {
    let record = root.join(record);
    let old =
        text::read_text(&record).map_err(during_step(format!("read the old {family} address")))?;
    let old = old
        .map(|old| old.trim().to_owned())
        .filter(|old| !old.is_empty());
    let current = match (current, &old) {
        (Some(current), _) => current.to_string(),
        (None, None) => return Ok(()),
        (None, Some(old)) => {
            let old = old.clone();
            return Err(Error::AddressLost { family, old });
        }
    };
    log::info(format!("detected {family} address: {current}"));
    let old = old.filter(|old| *old != current);
    if let Some(old) = &old {
        log::info(format!("detected old {family} address: {old}"));
        for file in FILES {
            rewrite_file(&root.join(file), old, &current)
                .map_err(during_step(format!("rewrite /{file}")))?;
        }
        // Before the record, by which the next boot would see no change.
        text::write_text(&root.join(PENDING), "").map_err(during_step(
            "note that the certificate is of the old address",
        ))?;
    }
    text::write_text(&record, &current).map_err(during_step(format!("record the {family} address")))
}

fn rewrite_file(path: &Path, old: &str, new: &str) -> io::Result<()> {
    let Some(text) = text::read_text(path)? else {
        return Ok(());
    };
    let edited = replace_address(&text, old, new);
    if edited == text {
        return Ok(());
    }
    text::replace_text(path, &edited)
}

/// Replaces an address where it stands alone, not where it is part of a longer one.
fn replace_address(text: &str, old: &str, new: &str) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, found) = rest.split_at(at);
        let after = &found[old.len()..];
        edited.push_str(before);
        // What was copied so far counts: the address may follow another one directly.
        let alone = !continues_before(&edited, old) && !continues_after(after, old);
        edited.push_str(if alone { new } else { old });
        rest = after;
    }
    edited + rest
}

fn continues_before(before: &str, address: &str) -> bool {
    before.chars().next_back().is_some_and(|character| {
        character.is_ascii_alphanumeric()
            || character == '.'
            || (character == ':' && is_ipv6(address))
    })
}

fn continues_after(after: &str, address: &str) -> bool {
    let mut characters = after.chars();
    match characters.next() {
        // A port follows an IPv4 address, and another group an IPv6 one.
        Some(':') => is_ipv6(address),
        Some('.') => characters.next().is_some_and(|next| next.is_ascii_digit()),
        next => next.is_some_and(|next| next.is_ascii_alphanumeric()),
    }
}

fn is_ipv6(address: &str) -> bool {
    address.contains(':')
}

/// Makes the API server's certificate again if one is pending, for the addresses of now.
fn renew_certificate(
    root: &Path,
    make: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let pending = root.join(PENDING);
    if !pending.exists() {
        return Ok(());
    }
    put_back(root).map_err(during_step("put the old certificate back"))?;
    if CERTIFICATE.iter().all(|path| root.join(path).exists()) {
        log::info("the node's address changed: making the API server's certificate again");
        replace_certificate(root, make)?;
    }
    fs::remove_file(pending).map_err(during_step("note that the certificate is made"))
}

/// Puts the certificate and its key aside until there are new ones.
fn replace_certificate(
    root: &Path,
    make: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    for [path, aside] in with_aside(root) {
        fs::rename(path, aside).map_err(during_step("put the old certificate aside"))?;
    }
    if let Err(error) = make(root) {
        put_back(root).map_err(during_step("put the old certificate back"))?;
        return Err(error);
    }
    for [_, aside] in with_aside(root) {
        fs::remove_file(aside).map_err(during_step("remove the old certificate"))?;
    }
    Ok(())
}

/// Puts the certificate and its key back from aside, also those of a boot that was killed at any place. Both are of one
/// pair again: while both are aside, whatever stands in their places may be half of the next one.
fn put_back(root: &Path) -> io::Result<()> {
    let pair = with_aside(root);
    if pair.iter().all(|[_, aside]| aside.exists()) {
        let in_place = pair.iter().filter(|[path, _]| path.exists());
        in_place
            .map(|[path, _]| path)
            .try_for_each(fs::remove_file)?;
    }
    for [path, aside] in pair {
        if !aside.exists() {
            continue;
        }
        if path.exists() {
            // The new pair is whole, and the other one's old file is removed already.
            fs::remove_file(aside)?;
        } else {
            fs::rename(aside, path)?;
        }
    }
    Ok(())
}

/// Where the certificate and its key belong, each with where it stands meanwhile.
fn with_aside(root: &Path) -> [[PathBuf; 2]; 2] {
    CERTIFICATE.map(|path| [root.join(path), root.join(format!("{path}.replaced"))])
}

/// Has kubeadm make the certificate and its key.
fn make_certificate(root: &Path) -> Result<(), Error> {
    let config = root.join("kind/kubeadm.conf");
    let config = config.to_string_lossy();
    let phase = ["kubeadm", "init", "phase", "certs", "apiserver"];
    let command = [&phase[..], &["--config", &config]].concat();
    program::program_output(&command, "").map(drop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_addresses_are_replaced() {
        let (old, new) = ("172.18.0.2", "172.18.0.9");
        for (before, after) in [
            ("https://172.18.0.2:6443", "https://172.18.0.9:6443"),
            (
                "--advertise-address=172.18.0.2\n",
                "--advertise-address=172.18.0.9\n",
            ),
            ("ip: 172.18.0.2, 172.18.0.2.", "ip: 172.18.0.9, 172.18.0.9."),
            (
                "172.18.0.20 172.18.0.2.1 1172.18.0.2",
                "172.18.0.20 172.18.0.2.1 1172.18.0.2",
            ),
            ("1.172.18.0.2", "1.172.18.0.2"),
            ("", ""),
        ] {
            assert_eq!(replace_address(before, old, new), after);
        }
        let (old, new) = ("fc00::2", "fc00::9");
        for (before, after) in [
            ("https://[fc00::2]:6443", "https://[fc00::9]:6443"),
            (
                "--node-ip=fc00::2,172.18.0.2",
                "--node-ip=fc00::9,172.18.0.2",
            ),
            (
                "fc00::2:1 fc00::21 1:fc00::2",
                "fc00::2:1 fc00::21 1:fc00::2",
            ),
        ] {
            assert_eq!(replace_address(before, old, new), after);
        }
    }

    proptest! {
        #[test]
        fn replacing_an_address_by_itself_changes_nothing(text in "[0-9.: a-z]{0,60}") {
            prop_assert_eq!(replace_address(&text, "1.2", "1.2"), text);
        }
    }

    #[test]
    fn a_change_is_followed_once() {
        let root = tempfile::tempdir().unwrap();
        let manifest = root.path().join(FILES[0]);
        text::write_text(&manifest, "url: https://10.0.0.2:2379\n").unwrap();
        let follow = |last: u8| {
            let address = Ipv4Addr::new(10, 0, 0, last);
            follow_one(root.path(), "IPv4", "kind/old-ipv4", Some(address.into())).unwrap();
            fs::remove_file(root.path().join(PENDING)).is_ok()
        };
        assert!(!follow(2), "the first boot knows no old address");
        assert!(!follow(2));
        assert!(follow(3));
        assert!(!follow(3));
        let text = fs::read_to_string(&manifest).unwrap();
        assert_eq!(text, "url: https://10.0.0.3:2379\n");
        let record = fs::read_to_string(root.path().join("kind/old-ipv4")).unwrap();
        assert_eq!(record, "10.0.0.3");
    }

    /// A node with files of its certificate, whose address has changed.
    fn node_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        text::write_text(&root.path().join(PENDING), "").unwrap();
        for (kind, text) in files {
            let path = format!("etc/kubernetes/pki/apiserver.{kind}");
            text::write_text(&root.path().join(path), text).unwrap();
        }
        root
    }

    /// The certificate, its key, and how many files there are.
    fn pair(root: &Path) -> (String, String, usize) {
        let [certificate, key] =
            CERTIFICATE.map(|path| fs::read_to_string(root.join(path)).unwrap());
        let files = fs::read_dir(root.join("etc/kubernetes/pki")).unwrap();
        (certificate, key, files.count())
    }

    fn make_new(root: &Path) -> Result<(), Error> {
        for path in CERTIFICATE {
            text::write_text(&root.join(path), "new").map_err(during_step("make"))?;
        }
        Ok(())
    }

    fn fail(_: &Path) -> Result<(), Error> {
        Err(Error::NoHostAddress)
    }

    #[test]
    fn a_certificate_that_could_not_be_made_is_made_at_the_next_boot() {
        let root = node_with(&[("crt", "old"), ("key", "old")]);
        let old = || ("old".to_owned(), "old".to_owned(), 2);
        let new = || ("new".to_owned(), "new".to_owned(), 2);
        for _ in 0..2 {
            renew_certificate(root.path(), fail).unwrap_err();
            assert_eq!(pair(root.path()), old());
        }
        renew_certificate(root.path(), make_new).unwrap();
        assert_eq!(pair(root.path()), new());
        renew_certificate(root.path(), fail).unwrap();
        assert_eq!(pair(root.path()), new());
    }

    #[test]
    fn a_boot_that_was_killed_leaves_both_of_a_pair() {
        for (files, kept) in [
            (&[("crt.replaced", "old"), ("key", "old")][..], "old"),
            (&[("crt.replaced", "old"), ("key.replaced", "old")], "old"),
            (
                &[
                    ("crt.replaced", "old"),
                    ("key.replaced", "old"),
                    ("key", "new"),
                ],
                "old",
            ),
            (
                &[("crt", "new"), ("key", "new"), ("key.replaced", "old")],
                "new",
            ),
        ] {
            let root = node_with(files);
            renew_certificate(root.path(), fail).unwrap_err();
            let expected = (kept.to_owned(), kept.to_owned(), 2);
            assert_eq!(pair(root.path()), expected, "{files:?}");
        }
    }

    #[test]
    fn a_change_is_noted_before_it_is_recorded() {
        let root = node_with(&[("crt", "old"), ("key", "old")]);
        fs::remove_file(root.path().join(PENDING)).unwrap();
        let follow = |last| {
            let address = Ipv4Addr::new(10, 0, 0, last);
            follow_changes(root.path(), Some(address), None)
        };
        follow(2).unwrap();
        // There is no configuration for kubeadm here.
        follow(3).unwrap_err();
        follow(3).unwrap_err();
    }

    #[test]
    fn a_lost_address_ends_the_boot_for_ipv4_alone() {
        let root = tempfile::tempdir().unwrap();
        follow_changes(root.path(), None, None).unwrap();
        text::write_text(&root.path().join("kind/old-ipv6"), "fc00::2").unwrap();
        follow_changes(root.path(), None, None).unwrap();
        text::write_text(&root.path().join("kind/old-ipv4"), "10.0.0.2").unwrap();
        let error = follow_changes(root.path(), None, None).unwrap_err();
        assert!(matches!(error, Error::AddressLost { .. }), "{error}");
    }
}
