//! The plugins that this program carries the sources of.

/// A distribution whose sources this program carries.
#[derive(Debug)]
pub struct Carried {
    /// The folder of its modules, and its name in file names.
    pub(super) package: &'static str,
    /// Its name.
    pub(super) project: &'static str,
    summary: &'static str,
    /// The oldest Python that it runs on.
    python: &'static str,
    entry_points: &'static str,
    /// Its modules: names in the package's folder, and contents.
    pub(super) modules: &'static [(&'static str, &'static str)],
}

/// The modules of a plugin, and the one that all have.
macro_rules! modules {
    ($package:literal, $($name:literal),+) => {
        &[
            $(($name, include_str!(concat!("../../../../shims/", $package, "/", $name))),)+
            ("program.py", include_str!("../../../../shims/program.py")),
        ]
    };
}

/// The plugin for Poetry: it installs into virtpy's venvs from the store.
pub(super) static POETRY_PLUGIN: Carried = Carried {
    package: "poetry_plugin_virtpy",
    project: "poetry-plugin-virtpy",
    summary: "Poetry installs into venvs of virtpy's from virtpy's store",
    python: "3.8",
    entry_points: "[poetry.application.plugin]\nvirtpy = poetry_plugin_virtpy.plugin:VirtpyPlugin\n",
    modules: modules!(
        "poetry_plugin_virtpy",
        "__init__.py",
        "batch.py",
        "builds.py",
        "changes.py",
        "executor.py",
        "plugin.py",
        "venvs.py"
    ),
};

/// The plugin for virtualenv: what it makes are virtpy's venvs, whichever tool runs it.
pub(super) static VIRTUALENV_PLUGIN: Carried = Carried {
    package: "virtualenv_virtpy",
    project: "virtualenv-virtpy",
    summary: "What virtualenv makes are venvs of virtpy's",
    python: "3.7",
    entry_points: "[virtualenv.seed]\nvirtpy = virtualenv_virtpy.seeder:VirtpySeeder\n",
    modules: modules!("virtualenv_virtpy", "__init__.py", "seeder.py"),
};

/// All of them.
pub(super) static CARRIED: [&Carried; 2] = [&POETRY_PLUGIN, &VIRTUALENV_PLUGIN];

impl Carried {
    /// The files of its dist-info folder but RECORD.
    pub(super) fn metadata(&self, version: &str) -> Vec<(&'static str, String)> {
        let Self { project, summary, python, .. } = self;
        let license = env!("CARGO_PKG_LICENSE");
        let metadata = format!(
            "Metadata-Version: 2.1\nName: {project}\nVersion: {version}\nSummary: {summary}\nLicense: {license}\n\
             Requires-Python: >={python}\n"
        );
        let wheel = "Wheel-Version: 1.0\nGenerator: virtpy\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        vec![
            ("METADATA", metadata),
            ("WHEEL", wheel.to_owned()),
            ("entry_points.txt", self.entry_points.to_owned()),
        ]
    }
}
