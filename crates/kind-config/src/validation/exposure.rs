//! Who reaches the API server.

use std::net::IpAddr;

use crate::model::Networking;

/// What to know of an API server that listens for others than this host.
pub(super) fn exposure_warnings(networking: &Networking) -> Option<String> {
    let address: IpAddr = networking.api_server_address.parse().ok()?;
    (!address.is_loopback()).then(|| {
        format!(
            "networking.apiServerAddress {address} is not this host's alone: who reaches it needs no more than a credential \
             of the cluster, of a pod for example; 127.0.0.1 keeps others out, and so does a firewall"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_reach_is_told() {
        let mut networking = Networking::default();
        for (address, told) in [
            ("", false),
            ("127.0.0.1", false),
            ("127.8.0.1", false),
            ("::1", false),
            ("0.0.0.0", true),
            ("::", true),
            ("192.0.2.10", true),
        ] {
            networking.api_server_address = address.to_owned();
            assert_eq!(exposure_warnings(&networking).is_some(), told, "{address}");
        }
    }
}
