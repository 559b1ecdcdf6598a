//! Kubeconfigs of administrators and components.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::Pair;

/// Whom a kubeconfig is for, and where the API server is.
pub(super) struct Access<'a> {
    /// Name of the cluster.
    pub(super) cluster: &'a str,
    /// Name of the user in the file.
    pub(super) user: &'a str,
    /// URL of the API server.
    pub(super) server: &'a str,
    /// The cluster's certificate authority.
    pub(super) authority: &'a str,
}

/// A kubeconfig that holds its certificate and key.
pub(super) fn with_pair(access: &Access<'_>, pair: &Pair) -> String {
    let certificate = STANDARD.encode(&pair.certificate);
    let key = STANDARD.encode(&pair.key);
    kubeconfig_text(
        access,
        &format!("    client-certificate-data: {certificate}\n    client-key-data: {key}\n"),
    )
}

/// A kubeconfig whose certificate and key stand in one file.
pub(super) fn with_file(access: &Access<'_>, path: &str) -> String {
    kubeconfig_text(
        access,
        &format!("    client-certificate: {path}\n    client-key: {path}\n"),
    )
}

fn kubeconfig_text(access: &Access<'_>, credentials: &str) -> String {
    let Access {
        cluster,
        user,
        server,
        authority,
    } = access;
    let authority = STANDARD.encode(authority);
    // A cluster's name may be made of digits alone, which would not be read as text.
    format!(
        "apiVersion: v1\n\
         clusters:\n\
         - cluster:\n\
         \x20   certificate-authority-data: {authority}\n\
         \x20   server: {server}\n\
         \x20 name: \"{cluster}\"\n\
         contexts:\n\
         - context:\n\
         \x20   cluster: \"{cluster}\"\n\
         \x20   user: {user}\n\
         \x20 name: {user}@{cluster}\n\
         current-context: {user}@{cluster}\n\
         kind: Config\n\
         preferences: {{}}\n\
         users:\n\
         - name: {user}\n\
         \x20 user:\n\
         {credentials}"
    )
}
