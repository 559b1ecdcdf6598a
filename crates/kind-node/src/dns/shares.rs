//! What one client may take of what all of them need: a pod that wants everything gets its share, and others theirs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What clients have at the moment, by their addresses.
#[derive(Debug)]
pub(crate) struct Shares {
    /// How much one of them may have.
    limit: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A part of a client's share, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    client: IpAddr,
}

impl Shares {
    /// Nobody has anything yet.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let taken = Mutex::default();
        Arc::new(Self { limit, taken })
    }

    /// A part more for a client; `None` if it has its share.
    pub(crate) fn take(self: &Arc<Self>, client: IpAddr) -> Option<Share> {
        // A client of IPv4 has an address of IPv6 on a socket for both.
        let client = client.to_canonical();
        let mut taken = self.lock_taken();
        let has = taken.entry(client).or_default();
        if *has >= self.limit {
            return None;
        }
        *has += 1;
        let shares = Arc::clone(self);
        Some(Share { shares, client })
    }

    fn lock_taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.lock_taken();
        if let Some(has) = taken.get_mut(&self.client) {
            *has -= 1;
            if *has == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_share_of_its_own() {
        let shares = Shares::new(2);
        let [one, same, other] =
            ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        let first = shares.take(one);
        let second = shares.take(same);
        assert!(first.is_some() && second.is_some());
        assert!(shares.take(one).is_none());
        assert!(shares.take(other).is_some());
        drop(first);
        assert!(shares.take(one).is_some());
        drop(second);
        assert!(
            shares.lock_taken().is_empty(),
            "nobody is remembered for nothing"
        );
    }
}
