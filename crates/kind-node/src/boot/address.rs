//! A node whose address changed while it was stopped: every file that names the old one is
//! rewritten, and the API server gets a certificate for the new one.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::error::during_step;
use super::{Error, log, program, text};

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
    let changed4 = follow_one(root, "IPv4", "kind/old-ipv4", ipv4.map(IpAddr::from))?;
    let changed6 = match follow_one(root, "IPv6", "kind/old-ipv6", ipv6.map(IpAddr::from)) {
        // A node that lost IPv6 still serves IPv4.
        Err(error @ Error::AddressLost { .. }) => {
            log::error(error);
            false
        }
        result => result?,
    };
    if changed4 || changed6 {
        renew_certificate(root)?;
    }
    Ok(())
}

/// Follows one family's address; tells whether it changed.
fn follow_one(
    root: &Path,
    family: &'static str,
    record: &str,
    current: Option<IpAddr>,
) -> Result<bool, Error> {
    let record = root.join(record);
    let old =
        text::read_text(&record).map_err(during_step(format!("read the old {family} address")))?;
    let old = old
        .map(|old| old.trim().to_owned())
        .filter(|old| !old.is_empty());
    let current = match (current, &old) {
        (Some(current), _) => current.to_string(),
        (None, None) => return Ok(false),
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
    }
    text::write_text(&record, &current)
        .map_err(during_step(format!("record the {family} address")))?;
    Ok(old.is_some())
}

fn rewrite_file(path: &Path, old: &str, new: &str) -> std::io::Result<()> {
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

/// Has kubeadm make the API server's certificate again, for the addresses of now.
fn renew_certificate(root: &Path) -> Result<(), Error> {
    let [certificate, key] = ["crt", "key"].map(|kind| {
        root.join("etc/kubernetes/pki/apiserver")
            .with_extension(kind)
    });
    if !certificate.exists() || !key.exists() {
        return Ok(());
    }
    log::info("the node's address changed: making the API server's certificate again");
    // Kept aside until there are new ones: a boot that is interrupted here must find its way.
    let aside = [&certificate, &key].map(|path| path.with_extension(extension_aside(path)));
    for (path, aside) in [&certificate, &key].into_iter().zip(&aside) {
        fs::rename(path, aside).map_err(during_step("put the old certificate aside"))?;
    }
    let config = root.join("kind/kubeadm.conf");
    let config = config.to_string_lossy();
    let made = program::program_output(
        &[
            "kubeadm",
            "init",
            "phase",
            "certs",
            "apiserver",
            "--config",
            &config,
        ],
        "",
    );
    for (path, aside) in [&certificate, &key].into_iter().zip(&aside) {
        match made {
            Ok(_) => fs::remove_file(aside).map_err(during_step("remove the old certificate"))?,
            Err(_) => {
                fs::rename(aside, path).map_err(during_step("put the old certificate back"))?
            }
        }
    }
    made.map(drop)
}

fn extension_aside(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    format!("{extension}.old")
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
            follow_one(root.path(), "IPv4", "kind/old-ipv4", Some(address.into())).unwrap()
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
