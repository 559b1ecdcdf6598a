//! What kubeadm's output says of why it failed, without what only its developers read.

use kind_diagnosis::{Check, KUBEADM_FAILED, Severity};

/// What newer ones begin their last words with, and what all do that fail in a phase.
const ERROR: &str = "error: ";
const OF_PHASE: &str = "error execution phase ";

/// What to do, by the phase that failed.
const REMEDIES: [(&str, &str); 5] = [
    (
        "certs",
        "bring whole pairs of certificate and key that belong together in `/etc/kubernetes/pki` (`extraMounts`), or none; correct \
         `certSANs` and `certificatesDir` of ClusterConfiguration",
    ),
    (
        "kubeconfig",
        "take files of your own out of `/etc/kubernetes` (`extraMounts`), or make them for the cluster's own authority",
    ),
    (
        "preflight",
        "mend what it names, or name the check in `ignorePreflightErrors` of `nodeRegistration`",
    ),
    (
        "control-plane",
        "correct `extraArgs`, `extraVolumes` and `patches.directory` in `kubeadmConfigPatches`; the directory must be there in the node",
    ),
    (
        "etcd",
        "correct `etcd` of ClusterConfiguration and `patches.directory` in `kubeadmConfigPatches`; the directory must be there in the node",
    ),
];
const OF_CONFIGURATION: &str = "correct what it names in `kubeadmConfigPatches`";
/// What is said of a field of the configuration, before any phase begins.
const OF_FIELDS: [&str; 3] = [
    "Invalid value",
    "unknown field",
    "could not list patch files",
];

/// Why kubeadm failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KubeadmFailure {
    /// In one line: the phase, if there was one, and its error.
    pub(super) reason: String,
    /// What was printed, without the log and the stack.
    pub(super) output: String,
}

impl KubeadmFailure {
    /// Reads the output of a kubeadm that failed; `None` if that does not say why.
    pub(super) fn parse(output: &str) -> Option<Self> {
        let lines = strip_noise(output);
        let at = lines.iter().rposition(|line| is_error(line))?;
        let error = lines[at].strip_prefix(ERROR).unwrap_or(lines[at]);
        let error = error.strip_prefix(OF_PHASE).unwrap_or(error);
        let details = lines[at + 1..].iter();
        let details = details.take_while(|line| line.starts_with('\t'));
        let mut reason = error.trim().to_owned();
        details.for_each(|line| reason.push_str(&format!(" {}", line.trim())));
        // Older ones tell the causes first.
        if let (false, Some(cause)) = (reason.contains(": "), at.checked_sub(1)) {
            reason.push_str(&format!(": {}", lines[cause].trim()));
        }
        Some(Self {
            reason,
            output: lines.join("\n"),
        })
    }

    /// The failure as something that is in the way, if there is a remedy.
    pub(super) fn to_check(&self) -> Option<Check> {
        let phase = self.reason.split(['/', ':']).next().unwrap_or_default();
        let mut remedies = REMEDIES.iter();
        let of_phase = remedies.find(|(name, _)| *name == phase);
        let of_fields = || OF_FIELDS.iter().any(|words| self.reason.contains(words));
        let remedy = match of_phase {
            Some((_, remedy)) => remedy,
            None if of_fields() => OF_CONFIGURATION,
            None => return None,
        };
        Some(Check {
            id: KUBEADM_FAILED.to_owned(),
            severity: Severity::Error,
            subject: "kubeadm".to_owned(),
            found: self.reason.clone(),
            expected: "a kubeadm that goes through".to_owned(),
            remedy: remedy.to_owned(),
            evidence: Vec::new(),
        })
    }
}

fn is_error(line: &str) -> bool {
    line.starts_with(ERROR) || line.starts_with(OF_PHASE)
}

/// The lines that are neither klog's nor of a stack of Go's functions.
fn strip_noise(output: &str) -> Vec<&str> {
    let lines: Vec<&str> = output.lines().collect();
    let is_noise = |at: usize| {
        let is_place = |at: usize| lines.get(at).is_some_and(|line| is_go_place(line));
        let is_function = is_place(at + 1) && !is_error(lines[at]);
        is_place(at) || is_function || is_log(lines[at])
    };
    (0..lines.len())
        .filter(|at| !lines[*at].trim().is_empty() && !is_noise(*at))
        .map(|at| lines[at])
        .collect()
}

/// `I1130 00:36:58.123456     123 file.go:7] words`, or the same of a warning.
fn is_log(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(date), Some(time)) = (words.next(), words.next()) else {
        return false;
    };
    let day = date.strip_prefix(['I', 'W']).unwrap_or_default();
    day.len() == 4 && day.bytes().all(|byte| byte.is_ascii_digit()) && time.contains(':')
}

/// `k8s.io/kubernetes/cmd/kubeadm/app/kubeadm.go:52`, where a function of a stack is.
fn is_go_place(line: &str) -> bool {
    let Some((file, rest)) = line
        .strip_prefix('\t')
        .and_then(|line| line.rsplit_once(':'))
    else {
        return false;
    };
    let number = rest.split(' ').next().unwrap_or_default();
    let is_source = file.ends_with(".go") || file.ends_with(".s");
    is_source && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "I1130 00:36:58.123456     123 initconfiguration.go:117] detected\n\
                       W1130 00:36:58.123457     123 validation.go:28] careful\n\
                       [certs] Using certificateDir folder \"/etc/kubernetes/pki\"\n";
    const STACK: &str = "k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1\n\
                         \tk8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow/runner.go:261\n\
                         runtime.goexit\n\
                         \truntime/asm_amd64.s:1700\n";

    fn parse(words: &str) -> (String, String, Option<String>) {
        let failure = KubeadmFailure::parse(&format!("{LOG}{words}")).unwrap();
        let remedy = failure.to_check().map(|check| check.remedy);
        (failure.reason, failure.output, remedy)
    }

    #[test]
    fn the_error_is_told_without_the_log_and_the_stack() {
        let error = "error: error execution phase certs/apiserver: unable to sign certificate: x509: provided PrivateKey \
                     doesn't match parent's PublicKey\n";
        let (reason, output, remedy) = parse(&format!("{error}{STACK}"));
        let told = "certs/apiserver: unable to sign certificate: x509: provided PrivateKey doesn't match parent's PublicKey";
        assert_eq!(reason, told);
        let kept = format!("[certs] Using certificateDir folder \"/etc/kubernetes/pki\"\n{error}");
        assert_eq!(output, kept.trim_end());
        assert!(remedy.unwrap().contains("/etc/kubernetes/pki"));
    }

    #[test]
    fn older_ones_tell_the_cause_before_the_phase() {
        let words =
            format!("couldn't start\n{STACK}error execution phase wait-control-plane\n{STACK}");
        let (reason, _, remedy) = parse(&words);
        assert_eq!(reason, "wait-control-plane: couldn't start");
        assert_eq!(remedy, None);
    }

    #[test]
    fn what_is_named_below_the_error_belongs_to_it() {
        let words = "error execution phase preflight: [preflight] Some fatal errors occurred:\n\t[ERROR Port-6443]: Port 6443 is in use\n[preflight] If";
        let (reason, ..) = parse(words);
        assert_eq!(
            reason,
            "preflight: [preflight] Some fatal errors occurred: [ERROR Port-6443]: Port 6443 is in use"
        );
    }

    #[test]
    fn a_wrong_field_has_a_remedy_without_a_phase() {
        let words = "error: networking.podSubnet: Invalid value: \"a\": couldn't parse subnet\n";
        assert_eq!(parse(words).2.as_deref(), Some(OF_CONFIGURATION));
        assert_eq!(parse("error: odd\n").2, None);
    }

    #[test]
    fn an_output_that_does_not_say_why_is_kept() {
        assert_eq!(KubeadmFailure::parse(LOG), None);
        assert_eq!(KubeadmFailure::parse("what it printed"), None);
    }
}
