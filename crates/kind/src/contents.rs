//! Content that a configuration has in files of the host.

use std::fs;
use std::path::Path;

use kind_config::{Cluster, FileOrText};

use crate::{Error, Result};

/// Manifests, policies and certificates are small; whatever is larger is not what was meant.
const LARGEST: u64 = 16 << 20;

/// Reads every file that the configuration names, so that all its content stands in it. Relative
/// paths are below `directory`.
pub(crate) fn read_contents(cluster: &mut Cluster, directory: &Path) -> Result<()> {
    let mirrors = cluster.registries.iter_mut().flat_map(|r| &mut r.mirrors);
    let policy = cluster.audit.iter_mut().filter_map(|a| a.policy.as_mut());
    let contents = mirrors
        .filter_map(|mirror| mirror.ca.as_mut())
        .chain(policy)
        .chain(&mut cluster.certificate_authorities)
        .chain(&mut cluster.manifests);
    for content in contents {
        if !content.file.is_empty() {
            content.text = read_as_text(&directory.join(&content.file))?;
        }
    }
    Ok(())
}

/// What a piece of content is called in messages.
pub(crate) fn content_name(content: &FileOrText, field: &str) -> String {
    match content.file.as_str() {
        "" => field.to_owned(),
        file => file.to_owned(),
    }
}

fn read_as_text(path: &Path) -> Result<String> {
    let failed = |source| Error::Io {
        action: "failed to read",
        path: path.to_owned(),
        source,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        let reason = format!("it is larger than {} MiB", LARGEST >> 20);
        return Err(failed(std::io::Error::other(reason)));
    }
    fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use kind_config::{Audit, Mirror, Registry};

    use super::*;

    #[test]
    fn every_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["ca", "policy", "authority", "manifest"] {
            fs::write(directory.path().join(name), format!("text of {name}")).unwrap();
        }
        let mut mirror = Mirror::new("http://m");
        mirror.ca = Some(FileOrText::file("ca"));
        let mut audit = Audit::default();
        audit.policy = Some(FileOrText::file("policy"));
        let mut cluster = Cluster::default()
            .registry(Registry::new("docker.io").mirror(mirror))
            .audit(audit)
            .manifest(FileOrText::file("manifest"))
            .manifest(FileOrText::text("here"));
        cluster
            .certificate_authorities
            .push(FileOrText::file("authority"));
        read_contents(&mut cluster, directory.path()).unwrap();
        let texts = [
            &cluster.registries[0].mirrors[0].ca.as_ref().unwrap().text,
            &cluster.audit.unwrap().policy.unwrap().text,
            &cluster.certificate_authorities[0].text,
            &cluster.manifests[0].text,
            &cluster.manifests[1].text,
        ];
        assert_eq!(
            texts,
            [
                "text of ca",
                "text of policy",
                "text of authority",
                "text of manifest",
                "here"
            ]
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut cluster = Cluster::default().manifest(FileOrText::file("/nowhere/a.yaml"));
        let error = read_contents(&mut cluster, Path::new("/")).unwrap_err();
        let text = crate::error::error_chain(&error);
        assert!(
            text.starts_with("failed to read /nowhere/a.yaml: "),
            "{text}"
        );
    }
}
