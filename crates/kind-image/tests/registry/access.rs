//! Who may do what, and whom one may trust.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kind_image::Code;
use kind_testkit::registry::{Authority, Options, PASSWORD, Registry, TokenService, USER};

use crate::world::{User, file, whole};

fn login(registry: &Registry, password: &str) -> String {
    format!(
        r#"{{"auths":{{"{}":{{"username":"{USER}","password":"{password}"}}}}}}"#,
        registry.address()
    )
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_dockers_files_say_so() {
    let authority = Authority::new();
    let options = Options {
        tls: Some((&authority, &["127.0.0.1"])),
        ..Options::default()
    };
    let (registry, user) = (Registry::start_with(&options), User::new());
    let (host, name) = (registry.address().to_string(), registry.image("app:v1"));
    let made = user.image("app:v1", &[b"secure"]);
    let error = user.push(&made, &name).unwrap_err();
    assert!(
        whole(&error).contains("certificate is not trusted"),
        "{}",
        whole(&error)
    );
    assert!(
        error
            .remedy()
            .unwrap()
            .contains(&format!("/etc/docker/certs.d/{host}/ca.crt"))
    );
    authority.write(&user.certs_d(&host, "ca.crt", ""));
    user.push(&made, &name).unwrap();
    assert_eq!(file(&user.pull(&name).unwrap(), 0), b"secure");
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let authority = Authority::new();
    let options = Options {
        tls: Some((&authority, &["other.test"])),
        ..Options::default()
    };
    let (registry, user) = (Registry::start_with(&options), User::new());
    let host = registry.address().to_string();
    let path = user.certs_d(&host, "ca.crt", "");
    authority.write(&path);
    let error = user.pull(&registry.image("app:v1")).unwrap_err();
    assert!(
        whole(&error).contains("certificate is not trusted"),
        "{}",
        whole(&error)
    );
    // The user may want it all the same.
    let text = format!("[host.\"https://{host}\"]\nskip_verify = true\n");
    user.certs_d(&host, "hosts.toml", &text);
    let made = user.image("app:v1", &[b"blind"]);
    let error = user.push(&made, &registry.image("app:v1")).unwrap_err();
    assert!(
        whole(&error).contains("certificate"),
        "a mirror is not pushed to: {}",
        whole(&error)
    );
    user.certs_d(
        &host,
        "hosts.toml",
        &format!("server = \"https://{host}\"\nskip_verify = true\n"),
    );
    user.push(&made, &registry.image("app:v1")).unwrap();
}

#[test]
fn a_login_is_taken_from_dockers_configuration() {
    let options = Options {
        login: true,
        ..Options::default()
    };
    let (registry, user) = (Registry::start_with(&options), User::new());
    let name = registry.image("app:v1");
    let made = user.image("app:v1", &[b"mine"]);
    let error = user.push(&made, &name).unwrap_err();
    assert_eq!(error.code(), Code::RegistryDenied, "{}", whole(&error));
    assert!(error.remedy().unwrap().contains("docker login"));
    user.docker_config(&login(&registry, "wrong"));
    let error = user.push(&made, &name).unwrap_err();
    assert_eq!(error.code(), Code::RegistryDenied, "{}", whole(&error));
    assert!(error.remedy().unwrap().contains("do not suffice"));
    user.docker_config(&login(&registry, PASSWORD));
    user.push(&made, &name).unwrap();
    assert_eq!(file(&user.pull(&name).unwrap(), 0), b"mine");
}

#[test]
fn a_login_is_taken_from_a_credential_helper() {
    let options = Options {
        login: true,
        ..Options::default()
    };
    let (registry, mut user) = (Registry::start_with(&options), User::new());
    let directory = tempfile::tempdir().unwrap();
    let helper = directory.path().join("docker-credential-own");
    let script = format!(
        "#!/bin/sh\nread -r server\n[ \"$server\" = {} ] || exit 1\n\
         echo '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n",
        registry.address()
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    user.docker_config(r#"{"credsStore":"own"}"#);
    user.set("PATH", directory.path().to_str().unwrap());
    let made = user.image("app:v1", &[b"mine"]);
    user.push(&made, &registry.image("app:v1")).unwrap();
}

#[test]
fn a_helper_that_is_gone_keeps_nobody_from_what_is_public() {
    let service = TokenService::start();
    let options = Options {
        token: Some(&service),
        ..Options::default()
    };
    let (registry, owner, user) = (Registry::start_with(&options), User::new(), User::new());
    let name = registry.image("team/app:v1");
    owner.docker_config(&login(&registry, PASSWORD));
    owner
        .push(&owner.image("app:v1", &[b"mine"]), &name)
        .unwrap();

    user.docker_config(r#"{"credsStore":"gone"}"#);
    let pulled = user.pull(&name).unwrap();
    assert_eq!(file(&pulled, 0), b"mine");
    let error = user
        .push(&pulled, &registry.image("team/app:v2"))
        .unwrap_err();
    assert_eq!(error.code(), Code::RegistryCredentials, "{}", whole(&error));
}

#[test]
fn tokens_are_got_where_the_registry_says() {
    let service = TokenService::start();
    let options = Options {
        token: Some(&service),
        ..Options::default()
    };
    let (registry, user, stranger) = (Registry::start_with(&options), User::new(), User::new());
    let name = registry.image("team/app:v1");
    let made = user.image("app:v1", &[b"mine"]);
    let error = user.push(&made, &name).unwrap_err();
    assert_eq!(error.code(), Code::RegistryDenied, "{}", whole(&error));
    user.docker_config(&login(&registry, "wrong"));
    let error = user.push(&made, &name).unwrap_err();
    assert!(
        whole(&error).contains("wrong password"),
        "{}",
        whole(&error)
    );
    user.docker_config(&login(&registry, PASSWORD));
    user.push(&made, &name).unwrap();

    let before = service.asked().len();
    assert_eq!(file(&stranger.pull(&name).unwrap(), 0), b"mine");
    let asked = service.asked().split_off(before);
    assert_eq!(
        asked.len(),
        1,
        "one token serves the whole pull: {asked:#?}"
    );
    assert!(
        asked[0].contains("scope=repository%3Ateam%2Fapp%3Apull"),
        "{asked:#?}"
    );

    let config = format!(
        r#"{{"auths":{{"{}":{{"identitytoken":"{}"}}}}}}"#,
        registry.address(),
        TokenService::IDENTITY
    );
    stranger.docker_config(&config);
    let pulled = stranger.pull(&name).unwrap();
    stranger
        .push(&pulled, &registry.image("team/app:v2"))
        .unwrap();
    assert!(
        service
            .asked()
            .iter()
            .any(|request| request.contains("grant_type=refresh_token"))
    );
}
