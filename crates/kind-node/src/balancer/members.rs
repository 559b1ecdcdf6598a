//! The members of now, and which of them gets the next connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::member::{Health, Member};
use crate::mutex::lock_mutex;

/// How long a client waits before it gets a member that says it is not ready. The servers of a starting
/// cluster take a while, and a client that is refused takes its own time to come again.
const READY_MEMBER_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a client waits at all.
const ANY_MEMBER_TIMEOUT: Duration = Duration::from_secs(8);
const MEMBER_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The members and whoever looks after each.
#[derive(Debug, Default)]
pub(super) struct Members {
    all: Mutex<Vec<(Arc<Member>, JoinHandle<()>)>>,
    next: AtomicUsize,
}

impl Members {
    /// Makes these the members. Those that were members before stay as they are; the connections of
    /// those that are none any more end. `look_after` begins to watch the health of a new one.
    pub(super) fn set_members(
        &self,
        addresses: &[String],
        look_after: impl Fn(Arc<Member>) -> JoinHandle<()>,
    ) {
        let mut all = lock_mutex(&self.all);
        all.retain(|(member, watcher)| {
            let stays = addresses.iter().any(|address| address == member.address());
            if !stays {
                watcher.abort();
                member.set_health(Health::Gone);
            }
            stays
        });
        for address in addresses {
            if !all.iter().any(|(member, _)| member.address() == address) {
                let member = Arc::new(Member::new(address));
                all.push((Arc::clone(&member), look_after(member)));
            }
        }
    }

    /// A connection to a member; `None` if none can be had in a reasonable time.
    pub(super) async fn connect(&self) -> Option<(Arc<Member>, TcpStream)> {
        let begin = Instant::now();
        while begin.elapsed() < ANY_MEMBER_TIMEOUT {
            let least = if begin.elapsed() < READY_MEMBER_TIMEOUT {
                Health::Busy
            } else {
                Health::Unready
            };
            for member in self.candidates(least) {
                if let Ok(stream) = member.connect().await {
                    return Some((member, stream));
                }
            }
            sleep(MEMBER_POLL_INTERVAL).await;
        }
        None
    }

    /// The members that are as well as any and at least so well, each call beginning with another one.
    fn candidates(&self, least: Health) -> Vec<Arc<Member>> {
        let all = lock_mutex(&self.all);
        let health = |member: &Member| *member.health().borrow();
        let best = all.iter().map(|(member, _)| health(member)).max();
        let Some(best) = best.filter(|best| *best >= least) else {
            return Vec::new();
        };
        let good = all.iter().filter(|(member, _)| health(member) == best);
        let mut good: Vec<_> = good.map(|(member, _)| Arc::clone(member)).collect();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % good.len();
        good.rotate_left(first);
        good
    }
}
