//! What every change must leave as it is: no circles of files, walls without holes, one way to place modules.

use std::path::Path;

use super::module_files::{find_misplaced, is_mod_file_with_code};
use super::report::{circle_text, circles_of, relative};
use super::walls::{HOUSES, find_breaches};
use super::workspace::{Package, read_packages};
use crate::Failure;

/// Checks how the files of the workspace at `root` use each other.
pub(crate) fn check_structure(root: &Path) -> Result<(), Failure> {
    let problems = find_problems(&read_packages(root)?, root);
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("\n").into())
}

/// Everything that is wrong, each a sentence that names files and what is used.
fn find_problems(packages: &[Package], root: &Path) -> Vec<String> {
    let each = packages.iter().flat_map(|package| {
        let mut problems = circle_problems(package, root);
        problems.extend(wall_problems(package, root));
        problems.extend(file_problems(package, root));
        problems
    });
    each.collect()
}

fn circle_problems(package: &Package, root: &Path) -> Vec<String> {
    let circles = circles_of(package);
    let circles = circles.iter();
    circles
        .map(|circle| {
            let text = circle_text(circle, root);
            format!(
                "files of {} use each other in a circle; move what they share to a file below them:\n{text}",
                package.name
            )
        })
        .collect()
}

fn wall_problems(package: &Package, root: &Path) -> Vec<String> {
    let houses = HOUSES.iter().filter(|house| house.package == package.name);
    let breaches = houses.flat_map(|house| {
        let crates = package.crates.iter();
        crates.flat_map(|sources| find_breaches(house, sources))
    });
    let mut problems: Vec<_> = breaches
        .map(|breach| {
            format!(
                "{} uses {} ({}), which is another room; xtask/src/measure/walls.rs says who may use what",
                relative(&breach.user, root),
                relative(&breach.used, root),
                breach.words
            )
        })
        .collect();
    problems.dedup();
    problems
}

fn file_problems(package: &Package, root: &Path) -> Vec<String> {
    let misplaced = package
        .crates
        .iter()
        .flat_map(|sources| find_misplaced(sources));
    let mut problems: Vec<_> = misplaced
        .map(|path| {
            let right = path.with_extension("").join("mod.rs");
            format!(
                "{} has modules of its own: it belongs at {}",
                relative(&path, root),
                relative(&right, root)
            )
        })
        .collect();
    let sources = package.crates.iter().flatten();
    let with_code = sources.filter(|source| !source.is_test && is_mod_file_with_code(source));
    problems.extend(with_code.map(|source| {
        format!(
            "{} has code: a mod.rs declares modules and passes names on",
            relative(&source.path, root)
        )
    }));
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    #[test]
    fn problems_name_files_and_uses() {
        let files = Sources::new(&[
            ("lib.rs", "mod balancer; mod boot; mod full; mod pause;"),
            ("full/mod.rs", "mod deep; use deep::A; fn f() {}"),
            ("full/deep.rs", "pub struct A;"),
            (
                "balancer.rs",
                "mod deep; use crate::boot::Boot; pub struct Balancer;",
            ),
            ("balancer/deep.rs", ""),
            ("boot.rs", "use crate::balancer::Balancer; pub struct Boot;"),
            ("pause.rs", ""),
        ]);
        let package = Package {
            name: "kind-node".to_owned(),
            is_product: true,
            crates: vec![files.read()],
        };
        let problems = find_problems(&[package], files.root());
        let expected = [
            "files of kind-node use each other in a circle; move what they share to a file below them:\n\
             balancer.rs, boot.rs\n    balancer.rs -> boot.rs (crate::boot::Boot)\n    \
             boot.rs -> balancer.rs (crate::balancer::Balancer)",
            "balancer.rs uses boot.rs (crate::boot::Boot), which is another room; \
             xtask/src/measure/walls.rs says who may use what",
            "boot.rs uses balancer.rs (crate::balancer::Balancer), which is another room; \
             xtask/src/measure/walls.rs says who may use what",
            "balancer.rs has modules of its own: it belongs at balancer/mod.rs",
            "full/mod.rs has code: a mod.rs declares modules and passes names on",
        ];
        assert_eq!(problems, expected);
    }
}
