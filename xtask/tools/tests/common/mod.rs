//! What several tests need.

use tempfile::TempDir;
use tools::Toolbox;

/// A toolbox that has Go and no tool on its path, so that the pinned tools are built and used whatever a machine has, and
/// keeps them where they are kept for all. The folder must be held on to while the toolbox is used.
pub(crate) fn pinned() -> (Toolbox, TempDir) {
    let mut toolbox = Toolbox::from_environment().expect("a toolbox");
    let folder = tempfile::tempdir().expect("a temporary folder");
    #[cfg(unix)]
    {
        let mut places = toolbox.search_path.iter().map(|folder| folder.join("go"));
        let go = places.find(|go| go.is_file()).expect("Go on PATH");
        std::os::unix::fs::symlink(go, folder.path().join("go")).expect("a link");
        toolbox.search_path = vec![folder.path().to_owned().try_into().expect("a UTF-8 path")];
    }
    // Elsewhere links need rights: there a tool on PATH is used after all.
    (toolbox, folder)
}
