//! The kubelet's kubeconfig after its first certificate rotation.
//!
//! kubeadm's phase `kubelet-finalize` makes the kubelet use the certificate it rotates, and restarts it
//! to no other end. The restart costs a new node many seconds, so the phase is skipped and its edit made
//! here: the running kubelet has the certificate already, the next one finds it in its file.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::usage::exit_with_failure;

const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";
/// Where the kubelet keeps the certificate it rotates, with its key.
const ROTATED: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";
/// The certificate comes once the controller manager has signed it. Without it the kubeconfig stays as
/// it is, which works as well for the year that its own certificate is good for.
const CERTIFICATE_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for the rotated certificate and points the kubelet's kubeconfig to it.
pub(crate) fn finalize_kubeconfig() -> ExitCode {
    let deadline = Instant::now() + CERTIFICATE_TIMEOUT;
    while !Path::new(ROTATED).exists() {
        if Instant::now() > deadline {
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    match rewrite_kubeconfig(Path::new(KUBECONFIG)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit_with_failure(&format!("cannot edit {KUBECONFIG}: {error}")),
    }
}

fn rewrite_kubeconfig(path: &Path) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    let temporary = path.with_extension("conf.new");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?;
    io::Write::write_all(&mut file, finalize_text(&text).as_bytes())?;
    fs::rename(temporary, path)
}

/// The kubeconfig with its embedded client certificate and key replaced by the path of the rotated pair.
fn finalize_text(text: &str) -> String {
    let line = |line: &str| {
        for key in ["client-certificate", "client-key"] {
            if let Some((indent, _)) = line.split_once(&format!("{key}-data:"))
                && indent.trim().is_empty()
            {
                return format!("{indent}{key}: {ROTATED}\n");
            }
        }
        format!("{line}\n")
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn embedded_pairs_become_paths_and_the_key_file_stays_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kubelet.conf");
        let text = "users:\n- name: node\n  user:\n    client-certificate-data: QUJD\n    client-key-data: REVG\n";
        fs::write(&path, text).unwrap();
        rewrite_kubeconfig(&path).unwrap();
        let expected = format!(
            "users:\n- name: node\n  user:\n    client-certificate: {ROTATED}\n    client-key: {ROTATED}\n"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        rewrite_kubeconfig(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
}
