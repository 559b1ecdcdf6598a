//! Images that an engine has or a build makes.

use kind_e2e::eventually;
use kind_testkit::schema::Schema;

use crate::json::documents;
use crate::world::World;

/// The sample app under a name that no node knows.
const LOADED: &str = "docker.io/library/kind-loaded:v1";

pub(crate) fn an_image_of_the_engine_is_loaded(world: &World) {
    world.engine.load(&world.sample).unwrap();
    let tag = ["tag", "docker.io/library/kind-sample:v1", LOADED];
    world.engine.client(&tag).expect("tag");
    let load = ["load", "docker-image", "--name", "e2e", LOADED];
    world.kind.run(&load).expect("load docker-image");
    runs_in_a_pod(world, "loaded", LOADED);
    let again = world.kind.run(&load);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(
        again
            .stderr
            .contains("found to be already present on all nodes"),
        "{again:#?}"
    );
}

/// Podman calls what it is asked to tag `kind-mine:2` `localhost/kind-mine:2`.
pub(crate) fn an_image_is_found_by_its_id_and_its_short_name(world: &World) {
    const SHORT: &str = "kind-mine:2";
    world.engine.client(&["tag", LOADED, SHORT]).expect("tag");
    let load = |name: &str| {
        let answer = world
            .kind
            .run(&["load", "docker-image", "--name", "e2e", name]);
        assert_eq!(answer.code, 0, "{name}: {answer:#?}");
    };
    load(SHORT);
    runs_in_a_pod(world, "short", "docker.io/library/kind-mine:2");
    let inspect = ["inspect", "--type=image", "--format={{.Id}}", SHORT];
    let id = world.engine.client(&inspect).expect("inspect");
    let digits = id.trim().trim_start_matches("sha256:");
    for id in [
        format!("sha256:{digits}"),
        digits.to_owned(),
        digits[..12].to_owned(),
    ] {
        load(&id);
    }
}

/// A pod of an image that no registry has.
pub(crate) fn runs_in_a_pod(world: &World, name: &str, image: &str) {
    world.kind.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  \
         containers:\n  - name: main\n    image: {image}\n    imagePullPolicy: Never\n    \
         command: [/bin/echo, it runs]\n"
    ));
    eventually("the pod has run", 60, || {
        let logs = world.kind.ask(&["logs", name]);
        if logs.stdout == "it runs\n" {
            Ok(())
        } else {
            Err(logs)
        }
    });
}

/// A build whose steps are all done says what a script waits for.
pub(crate) fn a_build_tells_its_image(world: &World) {
    let build = [
        "build",
        "node-image",
        "debian",
        "--image",
        "app/node:a",
        "-v",
        "1",
    ];
    let answer = world.kind.run(&build);
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (0, ""),
        "{answer:#?}"
    );
    let first = "Detected build type: \"debian\"\n";
    let last = "\nImage \"app/node:a\" build completed.\n";
    let said = &answer.stderr;
    assert!(said.starts_with(first) && said.ends_with(last), "{said}");
    let answer = world.kind.run(&[&["-o", "json"], &build[..]].concat());
    let built = documents(&Schema::published("cli-v1"), &answer)
        .pop()
        .unwrap();
    assert_eq!(built["image"], "app/node:a");
}
