//! What people are told of a code or a cause.

use kind_diagnosis::{KUBEADM_FAILED, LAST_ERROR, Signature, UNKNOWN};

use super::entry::Entry;

/// What a code, or the id of a cause, means and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The code, for example `KIND-CLUSTER-EXISTS`, or the id, for example `unknown-flag`.
    pub topic: String,
    /// What it stands for, in one line.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// When it appears.
    pub appears: String,
    /// What to do, in general; a failure's own remedy is more exact.
    pub remedy: String,
    /// A message as it may read.
    pub example: String,
}

impl Explanation {
    /// Of a topic that a program has beside these: title, meaning, when it appears, remedy and example.
    pub fn new(topic: &str, texts: [&str; 5]) -> Self {
        let [title, meaning, appears, remedy, example] = texts.map(str::to_owned);
        Self {
            topic: topic.to_owned(),
            title,
            meaning,
            appears,
            remedy,
            example,
        }
    }

    /// Of a cause that no signature knows.
    pub(super) fn of_unknown_cause() -> Self {
        Self::new(
            UNKNOWN,
            [
                "A component of a node ended for a reason that kind does not know.",
                "A program that the node needs has ended, and its last words, which are shown, fit no known cause.",
                "`create cluster`, `start cluster --wait`.",
                "Read the lines that are shown, and look at what configuration and patches give that component. All \
                 logs are in the directory that the last line names.",
                "kube-scheduler: leaderelection lost",
            ],
        )
    }

    /// Of what kubeadm says of itself.
    pub(super) fn of_kubeadm_failure() -> Self {
        Self::new(
            KUBEADM_FAILED,
            [
                "kubeadm does not go through with what it was given.",
                "A phase of kubeadm has failed, or it does not take its configuration. The message has kubeadm's own words.",
                "`create cluster`.",
                "Correct what the message names: `kubeadmConfigPatches`, or files that `extraMounts` bring below \
                 `/etc/kubernetes`.",
                "kubeadm: certs/apiserver: unable to sign certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
            ],
        )
    }

    /// Of an error that is all that is known.
    pub(super) fn of_last_error() -> Self {
        Self::new(
            LAST_ERROR,
            [
                "A component of a node runs and tells of an error that kind does not know.",
                "Nothing of what is known to be in the way was found. This is the last error of what the others wait for: \
                 etcd, then the API server, the kubelet, containerd.",
                "`create cluster`, `start cluster --wait`, where a step has failed or taken too long.",
                "Read the lines that are shown, and look at what configuration and patches give that component. All \
                 logs are in the directory that the last line names.",
                "etcd: publish error: etcdserver: request timed out",
            ],
        )
    }
}

impl From<&Entry> for Explanation {
    fn from(entry: &Entry) -> Self {
        Self::new(
            entry.code.as_str(),
            [
                entry.code.title(),
                entry.meaning,
                entry.appears,
                entry.remedy,
                entry.example,
            ],
        )
    }
}

impl From<&Signature> for Explanation {
    fn from(signature: &Signature) -> Self {
        let who = match signature.components {
            [] => "A component of a node".to_owned(),
            names => names.join(", "),
        };
        let heals = if signature.heals {
            "It may heal by itself, so that it ends nothing."
        } else {
            "It cannot heal, so that it ends the creation."
        };
        Self {
            topic: signature.id.to_owned(),
            title: format!("A component of a node: {}.", without_holes(signature.found)),
            meaning: format!(
                "What should be there: {}. {heals}",
                without_holes(signature.expected)
            ),
            appears: format!("`create cluster`, `start cluster --wait`. It is told by: {who}."),
            remedy: without_holes(signature.remedy),
            example: without_holes(signature.patterns.first().unwrap_or(&"")),
        }
    }
}

/// A text without the names of what stands in its holes.
fn without_holes(text: &str) -> String {
    let text = text.replace("{settings}", "the component's settings");
    let mut shown = String::new();
    for (index, part) in text.split('{').enumerate() {
        match part.split_once('}') {
            // A brace that is no hole is in the text.
            Some((hole, rest)) if index > 0 && hole.len() <= 1 => {
                shown.push('…');
                shown.push_str(rest);
            }
            _ if index > 0 => shown.push_str(&format!("{{{part}")),
            _ => shown.push_str(part),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_dots() {
        for (text, shown) in [
            ("unknown flag: {}", "unknown flag: …"),
            ("{1} is no value for {2}", "… is no value for …"),
            ("failed to {*}", "failed to …"),
            ("{Addr: \"{}\"{}Err", "{Addr: \"…\"…Err"),
            ("correct {settings}", "correct the component's settings"),
        ] {
            assert_eq!(without_holes(text), shown);
        }
    }
}
