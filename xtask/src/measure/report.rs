//! The measures of a workspace: what is counted, and where it was found.

use std::path::Path;

use super::bool_matches::find_bool_matches;
use super::circles::{Circle, find_circles};
use super::documentation::find_undocumented;
use super::functions::{Function, find_functions};
use super::module_files::is_mod_file_with_code;
use super::tuple_parameters::find_tuple_parameters;
use super::workspace::Package;

/// Functions that are longer are counted.
const LONG: usize = 60;

/// One number.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it comes from: files with lines, or circles.
    pub(super) places: Vec<String>,
}

impl Measure {
    fn new(name: &str, value: impl ToString, places: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_string(),
            places,
        }
    }

    /// The number of some places.
    fn count(name: &str, places: Vec<String>) -> Self {
        Self::new(name, places.len(), places)
    }
}

/// Measures packages; places are told from `root`.
pub(super) fn find_measures(packages: &[Package], root: &Path) -> Vec<Measure> {
    let mut measures = function_measures(packages, root);
    measures.extend(circle_measures(packages, root));
    measures.push(Measure::count(
        "mod-files-with-code",
        mod_file_places(packages, root),
    ));
    measures.push(Measure::count(
        "match-on-bool",
        line_places(packages, root, find_bool_matches, "match"),
    ));
    measures.push(Measure::count(
        "tuple-parameters",
        line_places(packages, root, find_tuple_parameters, "parameter"),
    ));
    measures.push(Measure::count(
        "undocumented",
        undocumented_places(packages, root),
    ));
    measures.extend(
        packages
            .iter()
            .filter(|package| package.is_product)
            .map(test_share),
    );
    measures
}

/// The names of functions and their lengths. A name that a trait asks for is not counted where the trait is
/// implemented: nobody chose it there.
fn function_measures(packages: &[Package], root: &Path) -> Vec<Measure> {
    let functions = product_functions(packages);
    let places = |wanted: &dyn Fn(&Function) -> bool| -> Vec<String> {
        let wanted = functions.iter().filter(|(_, function)| wanted(function));
        wanted
            .map(|(path, function)| function_place(path, function, root))
            .collect()
    };
    let named = places(&|function| function.is_named_here).len();
    let one_word = places(&|function| function.is_named_here && function.has_one_word());
    let lengths = functions.iter().map(|(_, function)| function.length);
    let longest = lengths.max().unwrap_or_default();
    vec![
        Measure::new("one-word-names", percent(one_word.len(), named), one_word),
        Measure::new(
            "longest-function",
            longest,
            places(&|function| function.length == longest),
        ),
        Measure::count(
            "functions-over-60",
            places(&|function| function.length > LONG),
        ),
    ]
}

fn product_functions(packages: &[Package]) -> Vec<(&Path, Function)> {
    let sources = packages.iter().flat_map(Package::product_files);
    let functions = sources.flat_map(|source| {
        let functions = find_functions(&source.syntax).into_iter();
        functions.map(|function| (source.path.as_path(), function))
    });
    functions.collect()
}

fn function_place(path: &Path, function: &Function, root: &Path) -> String {
    let text = format!("{} ({} lines)", function.name, function.length);
    at(path, function.line, &text, root)
}

/// The number of circles in all packages, and in each.
fn circle_measures(packages: &[Package], root: &Path) -> Vec<Measure> {
    let each = packages.iter().map(|package| {
        let circles = circles_of(package);
        let places = circles.iter().map(|circle| circle_text(circle, root));
        Measure::count(&format!("circles-{}", package.name), places.collect())
    });
    let mut each: Vec<_> = each.collect();
    let all = each.iter().flat_map(|measure| measure.places.clone());
    each.insert(0, Measure::count("circles", all.collect()));
    each
}

/// The circles of a package, each once: crates may share files.
pub(super) fn circles_of(package: &Package) -> Vec<Circle> {
    let mut circles: Vec<_> = package
        .crates
        .iter()
        .flat_map(|sources| find_circles(sources))
        .collect();
    circles.sort();
    circles.dedup_by(|one, other| one.files == other.files);
    circles
}

/// The files of a circle, and a line for each use that makes it one.
pub(super) fn circle_text(circle: &Circle, root: &Path) -> String {
    let files: Vec<_> = circle
        .files
        .iter()
        .map(|file| relative(file, root))
        .collect();
    let uses = circle.uses.iter().map(|(user, used, words)| {
        format!(
            "\n    {} -> {} ({words})",
            relative(user, root),
            relative(used, root)
        )
    });
    format!("{}{}", files.join(", "), uses.collect::<String>())
}

/// Files called `mod.rs` that do more than declare modules and pass names on.
fn mod_file_places(packages: &[Package], root: &Path) -> Vec<String> {
    let sources = packages.iter().flat_map(Package::product_files);
    let found = sources.filter(|source| is_mod_file_with_code(source));
    found.map(|source| relative(&source.path, root)).collect()
}

/// Lines of product files that `find` finds.
fn line_places(
    packages: &[Package],
    root: &Path,
    find: fn(&syn::File) -> Vec<usize>,
    what: &str,
) -> Vec<String> {
    let sources = packages.iter().flat_map(Package::product_files);
    let places = sources.flat_map(|source| {
        let lines = find(&source.syntax).into_iter();
        lines.map(|line| at(&source.path, line, what, root))
    });
    places.collect()
}

fn undocumented_places(packages: &[Package], root: &Path) -> Vec<String> {
    let sources = packages.iter().flat_map(Package::product_files);
    let written = sources.filter(|source| !source.is_generated);
    let places = written.flat_map(|source| {
        let found = find_undocumented(&source.syntax).into_iter();
        found.map(|(line, name)| at(&source.path, line, &name, root))
    });
    places.collect()
}

/// Lines of tests for each line of product; lines that are empty do not count.
fn test_share(package: &Package) -> Measure {
    let files = package.files();
    let product: usize = files.iter().map(|source| source.product_lines).sum();
    let tests: usize = files.iter().map(|source| source.test_lines).sum();
    let share = ratio(tests, product);
    let place = format!("{tests} lines of tests, {product} of product");
    let name = format!("test-share-{}", package.name);
    Measure::new(&name, format!("{share:.2}"), vec![place])
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", ratio(part, whole) * 100.0)
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn at(path: &Path, line: usize, what: &str, root: &Path) -> String {
    format!("{}:{line} {what}", relative(path, root))
}

/// The path as it is told: from the root of the checkout.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::testing::Sources;

    #[test]
    fn each_measure_has_a_name_a_value_and_places() {
        let files = Sources::new(&[
            (
                "lib.rs",
                "//! A crate.\nmod a;\nmod made;\nuse a::A;\npub(crate) fn run() {}\n",
            ),
            ("made.rs", "// This file is @generated.\npub struct Made;\n"),
            (
                "a.rs",
                "//! Half.\npub struct A;\nfn is_a() { crate::run() }\n\n#[cfg(test)]\nfn help() {}\n",
            ),
        ]);
        let package = Package {
            name: "kind".to_owned(),
            is_product: true,
            crates: vec![files.read()],
        };
        let measures = find_measures(&[package], files.root());
        let lines: Vec<_> = measures
            .iter()
            .map(|measure| format!("{}: {}", measure.name, measure.value))
            .collect();
        let expected = [
            "one-word-names: 50.0 %",
            "longest-function: 1",
            "functions-over-60: 0",
            "circles: 1",
            "circles-kind: 1",
            "mod-files-with-code: 0",
            "match-on-bool: 0",
            "tuple-parameters: 0",
            "undocumented: 2",
            "test-share-kind: 0.20",
        ];
        assert_eq!(lines, expected);
        assert_eq!(measures[0].places, ["lib.rs:5 run (1 lines)"]);
        let circle = "a.rs, lib.rs\n    a.rs -> lib.rs (crate::run)\n    lib.rs -> a.rs (a::A)";
        assert_eq!(measures[3].places, [circle]);
        assert_eq!(measures[8].places, ["a.rs:2 A", "lib.rs:5 run"]);
    }
}
