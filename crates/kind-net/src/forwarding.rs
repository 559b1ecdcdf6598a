//! Routing between the host's links, as far as nodes need it, and for as long.
//!
//! A host that forwards already is left as it is. On another one each link is switched on by itself, those to come too: an
//! uplink may change, and answers come in by it. The switch for all of them stays off: whoever turns it on meanwhile wants a
//! router, and then nothing is handed back. IPv6 has no other switch than that one. Links that forward learn from the
//! announcements of routers only where `accept_ra` is 2: those that did before go on, or the host would lose its own way out.
//!
//! What was on before is remembered in the kernel, in a table that also keeps the host from routing between links that have
//! nothing to do with containers: it goes with the settings when the host is started again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::wall::{add_rule, known_connections, matches};
use crate::{Error, nft};

/// The name of the tables, of family `ip` and `ip6`, that are there while forwarding is on because of us.
const TABLE: &str = "kind-forwarding";
/// The set of links, and of `default`, that were before what they are now made: those of IPv4 forwarded, those of IPv6
/// believed routers whatever they are themselves.
const BEFORE: &str = "before";
const CHAIN: &str = "forward";
/// Values of `accept_ra`: announcements are believed by links that do not forward, and by all.
const BY_HOSTS: &str = "1";
const ALWAYS: &str = "2";
/// What is no link that packets come in by.
const LEFT_OUT: [&str; 2] = ["all", "lo"];

/// Has packets of nodes forwarded, those of IPv6 too if `ipv6`.
///
/// # Errors
/// The kernel refuses a setting.
pub fn turn_on_forwarding(ipv6: bool) -> Result<(), Error> {
    let _lock = lock_settings();
    let ipv4 = !is_on(&switch("ipv4/ip_forward"));
    let ipv6 = ipv6 && !is_on(&switch("ipv6/conf/all/forwarding"));
    if !ipv4 && !ipv6 {
        return Ok(());
    }
    let tables = nft::tables()?;
    if ipv4 {
        if !has_table(&tables, "ip") {
            nft::apply(&memory("ip", &links_that_forward()?))?;
        }
        for link in links("ipv4")? {
            write_switch(&link_switch("ipv4", &link, "forwarding"), "1")?;
        }
    }
    if ipv6 {
        if !has_table(&tables, "ip6") {
            nft::apply(&memory("ip6", &links_that_accept(ALWAYS)?))?;
        }
        keep_routers()?;
        write_switch(&switch("ipv6/conf/all/forwarding"), "1")?;
    }
    Ok(())
}

/// Has links go on believing routers once they forward. Called before they do: the kernel drops at that moment what the
/// others have learned.
fn keep_routers() -> Result<(), Error> {
    for link in links_that_accept(BY_HOSTS)? {
        if !is_on(&link_switch("ipv6", &link, "forwarding")) {
            write_switch(&link_switch("ipv6", &link, "accept_ra"), ALWAYS)?;
        }
    }
    Ok(())
}

/// Has a ruleset that is about to be applied let go of a host that somebody has made a router meanwhile: nothing keeps it
/// from that any more, and nothing of it is handed back.
pub fn respect_router(ruleset: &mut Value) {
    let commands = ruleset["nftables"].as_array_mut();
    if let Some(commands) = commands.filter(|_| is_on(&switch("ipv4/ip_forward"))) {
        let table = json!({ "table": { "family": "ip", "name": TABLE } });
        // Adding it first makes the deletion work where there is none.
        commands.extend([json!({ "add": table }), json!({ "delete": table })]);
    }
}

/// Makes everything as it was before, once no network of nodes is left.
///
/// # Errors
/// The kernel refuses a setting.
pub fn hand_back_forwarding() -> Result<(), Error> {
    let _lock = lock_settings();
    let tables = nft::tables()?;
    let is_network = |(family, name): &(String, String)| family == "inet" && is_bridge_name(name);
    if tables.iter().any(is_network) {
        return Ok(());
    }
    if has_table(&tables, "ip") {
        if !is_on(&switch("ipv4/ip_forward")) {
            let before = remembered_links("ip")?;
            for link in links("ipv4")?.iter().filter(|link| !before.contains(link)) {
                write_switch(&link_switch("ipv4", link, "forwarding"), "0")?;
            }
        }
        nft::apply(&removal("ip"))?;
    }
    if has_table(&tables, "ip6") {
        write_switch(&switch("ipv6/conf/all/forwarding"), "0")?;
        let before = remembered_links("ip6")?;
        for link in links_that_accept(ALWAYS)?
            .iter()
            .filter(|link| !before.contains(link))
        {
            write_switch(&link_switch("ipv6", link, "accept_ra"), BY_HOSTS)?;
        }
        nft::apply(&removal("ip6"))?;
    }
    Ok(())
}

/// The name of a bridge of ours, after which its table is called.
fn is_bridge_name(name: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.strip_prefix("br-")
        .is_some_and(|digits| digits.len() == 12 && digits.bytes().all(hex))
}

/// What is remembered, and the rule that goes with it: packets that begin a connection come from a bridge or go to one,
/// whoever's it is.
fn memory(family: &str, before: &[String]) -> Value {
    let mut set = json!({ "family": family, "table": TABLE, "name": BEFORE, "type": "ifname" });
    if !before.is_empty() {
        set["elem"] = json!(before);
    }
    let mut commands = vec![
        json!({ "add": { "table": { "family": family, "name": TABLE } } }),
        json!({ "add": { "set": set } }),
        json!({ "add": { "chain": {
            "family": family, "table": TABLE, "name": CHAIN,
            "type": "filter", "hook": "forward", "prio": 0, "policy": "accept",
        } } }),
    ];
    let no_bridge = |key: &str| matches("!=", &json!({ "meta": { "key": key } }), &json!("bridge"));
    let known = known_connections().map(|known| json!([known, { "accept": null }]));
    let strange = json!([no_bridge("iifkind"), no_bridge("oifkind"), { "drop": null }]);
    let rules = known.into_iter().chain([strange]);
    commands.extend(rules.map(|rule| add_rule(family, TABLE, CHAIN, rule)));
    json!({ "nftables": commands })
}

fn removal(family: &str) -> Value {
    json!({ "nftables": [{ "delete": { "table": { "family": family, "name": TABLE } } }] })
}

fn has_table(tables: &[(String, String)], family: &str) -> bool {
    tables
        .iter()
        .any(|(of, name)| of == family && name == TABLE)
}

fn remembered_links(family: &str) -> Result<Vec<String>, Error> {
    let objects = nft::list(&["set", family, TABLE, BEFORE])?;
    let sets = objects.iter().filter_map(|object| object.get("set"));
    let elements = sets.filter_map(|set| set["elem"].as_array()).flatten();
    Ok(elements
        .filter_map(|element| element.as_str().map(str::to_owned))
        .collect())
}

/// Names of all links that have the family, and `default`; none where the kernel does not have it.
fn links(family: &str) -> Result<Vec<String>, Error> {
    let directory = switch(family).join("conf");
    let list = || -> io::Result<Vec<String>> {
        let names = fs::read_dir(&directory)?;
        let names = names.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    };
    let mut names = match list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names.map_err(failed("read", &directory))?,
    };
    names.retain(|name| !LEFT_OUT.contains(&name.as_str()));
    Ok(names)
}

fn links_that_forward() -> Result<Vec<String>, Error> {
    let mut names = links("ipv4")?;
    names.retain(|name| is_on(&link_switch("ipv4", name, "forwarding")));
    Ok(names)
}

/// Links whose `accept_ra` has this value.
fn links_that_accept(announcements: &str) -> Result<Vec<String>, Error> {
    let mut names = links("ipv6")?;
    names.retain(|name| {
        let value = fs::read_to_string(link_switch("ipv6", name, "accept_ra"));
        value.is_ok_and(|value| value.trim() == announcements)
    });
    Ok(names)
}

fn link_switch(family: &str, link: &str, name: &str) -> PathBuf {
    switch(family).join("conf").join(link).join(name)
}

fn switch(name: &str) -> PathBuf {
    Path::new("/proc/sys/net").join(name)
}

fn is_on(switch: &Path) -> bool {
    fs::read_to_string(switch).is_ok_and(|value| value.trim() != "0")
}

fn write_switch(switch: &Path, value: &str) -> Result<(), Error> {
    match fs::write(switch, value) {
        // The link has gone meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(failed("set", switch)),
    }
}

fn failed(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    |source| Error::Netlink { action, source }
}

/// One at a time for each network namespace, whose settings these are. Without the lock it works as well, nearly always.
fn lock_settings() -> Option<File> {
    let namespace = File::open("/proc/thread-self/ns/net").ok()?;
    namespace.lock().ok()?;
    Some(namespace)
}
