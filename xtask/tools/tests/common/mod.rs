//! Helpers for several tests.

use tempfile::TempDir;
use tools::Toolbox;

/// A toolbox with only Go on its path and the usual cache folder, so that the pinned tools are built and used even if
/// others are installed. Keep the temporary folder while the toolbox is used.
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
    // On other systems creating a link needs privileges, so tools on PATH are used there.
    (toolbox, folder)
}
