//! Networks that break, proxies, mirrors, and no network at all.

use kind_image::Code;
use kind_testkit::registry::{Authority, Options, Proxy, Registry, Relay};

use crate::world::{User, file, noise, whole};

#[test]
fn a_broken_connection_is_gone_on_with() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let content = noise(7_000_000);
    let made = here.image("app:v1", &[&content]);
    here.push(&made, &registry.image("app:v1")).unwrap();
    // No connection lives long enough for the whole layer: only parts of it can come.
    let relay = Relay::start(registry.address(), usize::MAX, 3_000_000);
    let pulled = there.pull(&format!("{}/app:v1", relay.address())).unwrap();
    assert_eq!(file(&pulled, 0), content);
    assert!(relay.connections() >= 3, "{}", relay.connections());
    let parts = registry.log().matches("http.response.status=206").count();
    assert!(parts >= 2, "{}", registry.log());
}

#[test]
fn a_connection_that_never_gets_on_is_given_up() {
    let (registry, here, there) = (Registry::start(), User::new(), User::new());
    let made = here.image("app:v1", &[&noise(3_000_000)]);
    here.push(&made, &registry.image("app:v1")).unwrap();
    let relay = Relay::start(registry.address(), usize::MAX, 20_000);
    let error = there
        .pull(&format!("{}/app:v1", relay.address()))
        .unwrap_err();
    assert!(
        whole(&error).contains("connection broke"),
        "{}",
        whole(&error)
    );
    assert!(there.has_nothing());
}

#[test]
fn a_proxy_leads_to_the_registry() {
    let authority = Authority::new();
    let options = Options {
        tls: Some((&authority, &["registry.test"])),
        ..Options::default()
    };
    let (registry, mut user) = (Registry::start_with(&options), User::new());
    let proxy = Proxy::start(registry.address());
    authority.write(&user.certs_d("registry.test", "ca.crt", ""));
    user.set("HTTPS_PROXY", format!("http://{}", proxy.address()));
    let made = user.image("app:v1", &[b"through"]);
    user.push(&made, "registry.test/app:v1").unwrap();
    assert_eq!(
        file(&user.pull("registry.test/app:v1").unwrap(), 0),
        b"through"
    );
    assert_eq!(proxy.asked()[0], "CONNECT registry.test:443 HTTP/1.1");
    user.set("no_proxy", ".test");
    let error = user.pull("registry.test/app:v1").unwrap_err();
    assert_eq!(error.code(), Code::RegistryUnreachable);
}

#[test]
fn mirrors_are_asked_first_and_the_registry_after_them() {
    let (mirror, own, user) = (Registry::start(), Registry::start(), User::new());
    let host = own.address().to_string();
    let text = format!("[host.\"http://{}\"]\n", mirror.address());
    user.certs_d(&host, "hosts.toml", &text);
    let made = user.image("app:v1", &[b"content"]);
    user.push(&made, &own.image("app:v1")).unwrap();
    assert_eq!(
        mirror.log().matches("PUT").count(),
        0,
        "mirrors are given nothing"
    );
    user.pull(&own.image("app:v1")).unwrap();
    assert!(mirror.log().contains("ns="), "{}", mirror.log());

    let elsewhere = user.image("app:v2", &[b"mirrored"]);
    user.push(&elsewhere, &mirror.image("app:v2")).unwrap();
    assert_eq!(
        file(&user.pull(&own.image("app:v2")).unwrap(), 0),
        b"mirrored"
    );
    drop(mirror);
    let there = User::new();
    there.certs_d(&host, "hosts.toml", &text);
    assert_eq!(
        file(&there.pull(&own.image("app:v1")).unwrap(), 0),
        b"content"
    );
}

#[test]
fn without_a_network_the_error_tells_what_was_tried_and_what_else_there_is() {
    let user = User::new();
    let start = std::time::Instant::now();
    let error = user.pull("registry.invalid/kind/node:v1").unwrap_err();
    let text = whole(&error);
    assert_eq!(error.code(), Code::RegistryUnreachable, "{text}");
    let tried = "GET https://registry.invalid/v2/kind/node/manifests/v1";
    assert!(
        text.contains(tried) && text.contains("cannot be resolved"),
        "{text}"
    );
    assert!(error.remedy().unwrap().contains("--from debian"));
    assert!(
        start.elapsed().as_secs() < 20,
        "nothing is tried again that cannot get better"
    );
}
