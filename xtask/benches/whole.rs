//! Benchmarks of whole processes: `generate`, the time from an edit of the model to the chart on disk, and writing the files of 500 services.
//! Prints medians, and the growth of the stored release with the number of services. It has no limits and never fails because of a time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use camino::Utf8Path;
use owned_tree::{HandEdits, write_tree};
use render::StoredRelease;
use tools::Tool;

fn main() {
    let root =
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a folder of the repository");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("cargo runs").success(), "cargo {arguments:?} failed");
    };

    run(&["build", "--release", "--package", "xtask"]);
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| root.join("target").into_string());
    let binary = Utf8Path::new(&target).join("release/xtask");
    report("generate (release build, nothing to write)", 20, || {
        let mut command = Command::new(&binary);
        command.arg("generate").env("CARGO_MANIFEST_DIR", root.join("xtask")).stdout(Stdio::null());
        assert!(command.status().expect("it runs").success());
    });

    // Cargo recompiles when the modification time changes; the text stays the same.
    let edited = root.join("model/auditflow/src/notification_service.rs");
    run(&["xtask", "generate"]);
    report("edit of the model until `cargo xtask generate` is done (warm)", 5, || {
        let file = std::fs::File::options().append(true).open(&edited).expect("the declaration is there");
        file.set_modified(SystemTime::now()).expect("its time can be set");
        run(&["xtask", "generate"]);
    });

    let platform = many_services::one_server(500);
    let files = generator::generate(&platform).into_files();
    let bytes: usize = files.values().map(String::len).sum();
    println!("500 services: {} files, {} KB", files.len(), bytes / 1000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut round = 0;
    report("writing all files of 500 services to an empty folder", 3, || {
        round += 1;
        let root = folder.path().join(round.to_string());
        let root = Utf8Path::from_path(&root).expect("the temporary folder is UTF-8");
        std::fs::create_dir(root).expect("a folder can be made");
        write_tree(root, &files, HandEdits::Keep).expect("the files can be written");
    });

    let helm = Tool::Helm4.ensure().expect("Helm is found or built");
    let mut before: Option<(usize, StoredRelease)> = None;
    for count in [4, 10, 20, 50, 100] {
        let chart = generator::generate(&many_services::every_kind(count));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8Path::from_path(folder.path()).expect("the temporary folder is UTF-8");
        write_tree(root, chart.files(), HandEdits::Keep).expect("the files can be written");
        let paths = chart.paths();
        let size = StoredRelease::of(&helm, &root.join(&paths.umbrella), "r", &[root.join(&paths.ci_values)]);
        let size = size.expect("Helm takes the chart");
        let growth = before.map_or_else(String::new, |(fewer, smaller)| {
            let per_service = |large: usize, small: usize| large.saturating_sub(small) / (count - fewer);
            format!(
                "; {} and {} for each further service",
                per_service(size.bytes, smaller.bytes),
                per_service(size.with_subcharts, smaller.with_subcharts)
            )
        });
        println!(
            "release of {count} services with a server of every kind: {} bytes stored, {} with the subcharts' files{growth}",
            size.bytes, size.with_subcharts
        );
        before = Some((count, size));
    }
}

fn report(what: &str, rounds: usize, mut measured: impl FnMut()) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            measured();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{what}: {:.0} ms (median of {rounds}, {:.0} to {:.0})",
        ms(times[rounds / 2]),
        ms(times[0]),
        ms(times[rounds - 1])
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
