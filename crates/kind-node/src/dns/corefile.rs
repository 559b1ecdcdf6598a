//! What CoreDNS's configuration says about the cluster.

/// The first zone of the plugin `kubernetes`: the cluster domain.
///
/// kubeadm writes `kubernetes cluster.local in-addr.arpa ip6.arpa {`.
pub(super) fn domain(corefile: &str) -> Option<&str> {
    corefile.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let plugin = words.next()?;
        words
            .next()
            .filter(|zone| plugin == "kubernetes" && *zone != "{")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_found() {
        let kubeadm = "\
.:53 {
    errors
    # kubernetes wrong.example
    kubernetes corp.example in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf
}
";
        assert_eq!(domain(kubeadm), Some("corp.example"));
        assert_eq!(domain(".:53 {\n  kubernetes {\n  }\n}"), None);
        assert_eq!(domain(""), None);
    }
}
