//! The search path for tools and the cache folder.

use std::env;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Attempt, GoError, Origin, Tool, ToolBinary, ToolError, cache,
    go::{self, Go},
    tool::isolate_helm,
    version::Version,
    workspace_root,
};

/// The search path for tools, and the folder that caches built tools and converted schemas.
///
/// The functions of this crate without a toolbox argument use that of the environment. Tests create their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolbox {
    /// The folders that are searched for programs, including Go; the first match is used.
    pub search_path: Vec<Utf8PathBuf>,
    /// The absolute path of the cache folder. It need not exist.
    pub folder: Utf8PathBuf,
}

impl Toolbox {
    /// The toolbox of the environment: the absolute UTF-8 folders of `PATH`, and as cache folder `$CHART_TOOLS_DIR`, or
    /// `tools/` in `$CARGO_TARGET_DIR`, or `target/tools/` in the workspace of the running program. Relative folders are
    /// relative to the workspace's root, so that all processes of a build use the same folder.
    ///
    /// # Errors
    /// [`ToolError::Io`] if one of the two variables is not UTF-8.
    pub fn from_environment() -> Result<Self, ToolError> {
        let search_path = env::var_os("PATH")
            .map(|path| env::split_paths(&path).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok()).collect())
            .unwrap_or_default();
        let root = workspace_root(env!("CARGO_MANIFEST_DIR"));
        let folder = match (folder_in("CHART_TOOLS_DIR")?, folder_in("CARGO_TARGET_DIR")?) {
            (Some(tools), _) => root.join(tools),
            (None, Some(target)) => root.join(target).join("tools"),
            (None, None) => root.join("target/tools"),
        };
        Ok(Self { search_path, folder })
    }

    /// Like [`Tool::ensure`], with this toolbox.
    ///
    /// # Errors
    /// [`ToolError::Unavailable`] if the tool is not on the search path in a supported version, and cannot be built.
    pub fn ensure(&self, tool: Tool) -> Result<ToolBinary, ToolError> {
        let mut attempts = Vec::new();
        for candidate in self.candidates(tool) {
            match self.examine(tool, &candidate) {
                Ok(version) => return Ok(self.binary(tool, candidate, version, Origin::OnPath)),
                Err(outcome) => attempts.push(Attempt { tried: candidate.into_string(), outcome }),
            }
        }
        if attempts.is_empty() && !tool.names().is_empty() {
            let names = tool.names().join(" and ");
            attempts.push(Attempt { tried: format!("looking for {names} on PATH"), outcome: "not found".to_owned() });
        }
        let flags = tool.linker_flags();
        let ingredients = [Some(tool.go_mod()), Some(tool.go_sum()), Some(flags.as_str()), tool.source()];
        let folder = cache::entry(
            &self.folder,
            &format!("{}-{}", tool.cached_as(), tool.pinned()),
            &ingredients.into_iter().flatten().collect::<Vec<_>>(),
            |folder| {
                self.build(tool, folder).map_err(|reason| {
                    let tried = format!("building {} from its Go module", tool.pinned());
                    attempts.push(Attempt { tried, outcome: reason.to_string() });
                    ToolError::Unavailable { tool, attempts }
                })
            },
        )?;
        Ok(self.binary(tool, binary_in(&folder, tool), tool.pinned().to_owned(), Origin::Built))
    }

    /// The files on the search path with one of the tool's names, the most specific name first.
    fn candidates(&self, tool: Tool) -> Vec<Utf8PathBuf> {
        let mut found = Vec::new();
        for name in tool.names() {
            let file = format!("{name}{}", env::consts::EXE_SUFFIX);
            for path in self.search_path.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(&file)) {
                if path.is_file() && !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        found
    }

    /// The version of the program at `path` if it is supported, otherwise the reason why not.
    fn examine(&self, tool: Tool, path: &Utf8Path) -> Result<String, String> {
        let mut command = std::process::Command::new(path);
        if tool.is_helm() {
            isolate_helm(&mut command, &self.home(tool));
        }
        let arguments = tool.version_arguments();
        let output = command.args(arguments).output().map_err(|error| format!("cannot be run ({error})"))?;
        let said = tool.version_in(&String::from_utf8_lossy(&output.stdout)).to_owned();
        if !output.status.success() {
            return Err(format!("`{}` fails ({})", arguments.join(" "), output.status));
        }
        match Version::parse(&said) {
            Some(version) if tool.fits(version) => Ok(said),
            Some(_) => Err(format!("is {said}, which is not supported")),
            None => Err(format!("reports the version `{said}`, which is not a release")),
        }
    }

    fn build(&self, tool: Tool, folder: &Utf8Path) -> Result<(), GoError> {
        let go = Go::find(&self.search_path, go::oldest_go(tool.go_mod()))?;
        let version = tool.pinned();
        eprintln!("building {} {version} from its Go module, {}", tool.binary(), tool.build_time());
        go.build(tool, &Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(tool.folder()), &binary_in(folder, tool))
    }

    fn binary(&self, tool: Tool, path: Utf8PathBuf, version: String, origin: Origin) -> ToolBinary {
        ToolBinary { tool, path, version, origin, home: self.home(tool) }
    }

    fn home(&self, tool: Tool) -> Utf8PathBuf {
        self.folder.join("home").join(tool.folder())
    }
}

fn binary_in(folder: &Utf8Path, tool: Tool) -> Utf8PathBuf {
    folder.join(format!("{}{}", tool.binary(), env::consts::EXE_SUFFIX))
}

fn folder_in(variable: &str) -> Result<Option<Utf8PathBuf>, ToolError> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else { return Ok(None) };
    let path = Utf8PathBuf::from_path_buf(value.into());
    path.map(Some).map_err(|path| {
        let reason = std::io::Error::new(std::io::ErrorKind::InvalidInput, format!("{variable} is not UTF-8"));
        ToolError::io("use", path.to_string_lossy().into_owned())(reason)
    })
}
