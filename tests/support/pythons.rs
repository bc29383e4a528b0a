//! Archives of interpreters as their publishers make them: of a whole one that is made from an interpreter of this
//! machine, and of scripts that answer as an interpreter of any version would.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::python::Python;

/// How an archive is packed; the name is its suffix.
pub(crate) const FORMATS: [&str; 7] = ["tar.gz", "tgz", "tar.bz2", "bz2", "tar.zst", "tar.zstd", "zip"];

/// A member of an archive.
#[derive(Clone)]
pub(crate) enum Member {
    /// A file with its permission bits.
    File(String, u32, Vec<u8>),
    /// A symbolic link with its text.
    Link(String, String),
    /// Only the header of a file of this size, in GNU's notation for sizes that do not fit.
    Huge(String, u64),
}

/// A file that can be run.
pub(crate) fn program(path: &str, text: &str) -> Member {
    Member::File(path.to_owned(), 0o755, text.as_bytes().to_vec())
}

/// A file that cannot.
pub(crate) fn file(path: &str, text: &str) -> Member {
    Member::File(path.to_owned(), 0o644, text.as_bytes().to_vec())
}

/// A script that says that it is `version`, and otherwise runs the real interpreter.
pub(crate) fn pretender(python: &Python, version: &str) -> String {
    let real = python.path.display();
    let own = python.full_version.replace('.', "\\.");
    format!(
        "#!/bin/sh\ncase \"$*\" in\n*virtpy-interpreter-facts*|*-VV) '{real}' \"$@\" | sed -e \
         \"s#\\\"executable\\\": \\\"[^\\\"]*\\\"#\\\"executable\\\": \\\"$0\\\"#\" -e 's/{own}/{version}/g';;\n\
         *) exec '{real}' \"$@\";;\nesac\n"
    )
}

/// The tree of a standalone build that pretends to be `version`, below `prefix`.
pub(crate) fn standalone(python: &Python, version: &str, prefix: &str) -> Vec<Member> {
    let short = python.short();
    let library = format!("{prefix}/lib/python{short}");
    vec![
        program(&format!("{prefix}/bin/python{short}"), &pretender(python, version)),
        Member::Link(format!("{prefix}/bin/python3"), format!("python{short}")),
        program(&format!("{prefix}/bin/pip3"), &format!("#!/install/bin/python{short}\nprint('pip')\n")),
        file(&format!("{library}/os.py"), ""),
        file(
            &format!("{library}/_sysconfigdata__linux_x86_64-linux-gnu.py"),
            "# generated\nbuild_time_vars = {'CC': 'clang -pthread',\n 'LIBDIR': '/install/lib',\n 'prefix': '/install'}\n",
        ),
        file(&format!("{prefix}/lib/pkgconfig/python3.pc"), "prefix=/install\nlibdir=${prefix}/lib\n"),
    ]
}

/// Packs members. A zip archive gets copies instead of links.
pub(crate) fn pack(members: &[Member], format: &str) -> Vec<u8> {
    match format {
        "zip" => zip(members),
        "tar.gz" | "tgz" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(&tar(members)).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
        "tar.bz2" | "bz2" => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            writer.write_all(&tar(members)).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
        "tar.zst" | "tar.zstd" => {
            zstd::encode_all(tar(members).as_slice(), 1).expect("memory can be written")
        }
        other => panic!("{other} is not a format"),
    }
}

fn tar(members: &[Member]) -> Vec<u8> {
    let mut tar = Vec::new();
    for member in members {
        let (path, mode, bytes, kind, link) = match member {
            Member::File(path, mode, bytes) => (path, *mode, bytes.as_slice(), "0", ""),
            Member::Link(path, target) => (path, 0o777, [].as_slice(), "2", target.as_str()),
            Member::Huge(path, size) => {
                tar.extend(huge_header(path, *size));
                continue;
            }
        };
        tar.extend(header(path, mode, bytes.len(), kind, link));
        tar.extend(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn huge_header(path: &str, size: u64) -> [u8; 512] {
    let mut header = header(path, 0o644, 0, "0", "");
    header[124] = 0x80;
    header[125..128].fill(0);
    header[128..136].copy_from_slice(&size.to_be_bytes());
    header[257..265].copy_from_slice(b"ustar  \0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn header(path: &str, mode: u32, size: usize, kind: &str, link: &str) -> [u8; 512] {
    assert!(path.len() < 100 && link.len() < 100, "the fixture's paths fit the classic header");
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "14000000000");
    put(148, "        ");
    put(156, kind);
    put(157, link);
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn zip(members: &[Member]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for member in members {
        if let Member::File(path, mode, bytes) = member {
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Deflated)
                .unix_permissions(*mode);
            writer.start_file(path, options).expect("a member can be begun");
            writer.write_all(bytes).expect("memory can be written");
        }
    }
    writer.finish().expect("memory can be written").into_inner()
}

/// A whole interpreter in the form of a standalone build, made once from `python`, with what a venv needs of the
/// standard library.
pub(crate) fn whole(python: &Python) -> &'static Path {
    static WHOLE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = WHOLE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("python.tar.gz");
        let output = Command::new(&python.path)
            .args(["-I", "-c", MAKE])
            .arg(&path)
            .output()
            .expect("the interpreter starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (folder, path)
    });
    path
}

const MAKE: &str = r#"
import io, os, sys, sysconfig, tarfile
short = "python%d.%d" % sys.version_info[:2]
prefix, stdlib = sys.base_prefix, sysconfig.get_path("stdlib")
skipped = {"__pycache__", "test", "tests", "site-packages", "dist-packages", "idlelib", "lib2to3", "tkinter", "ensurepip",
           "turtledemo", "pydoc_data", "asyncio", "multiprocessing", "unittest", "distutils", "xml", "xmlrpc", "sqlite3",
           "curses", "dbm", "wsgiref", "concurrent", "http", "tomllib", "msilib"}
with tarfile.open(sys.argv[1], "w:gz", compresslevel=1, format=tarfile.USTAR_FORMAT) as tar:
    def add(path, name):
        info = tar.gettarinfo(os.path.realpath(path), name)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        with open(path, "rb") as content:
            data = content.read()
        if "_sysconfigdata" in name:
            data = data.replace(prefix.encode(), b"/install")
        info.size, info.type = len(data), tarfile.REGTYPE
        tar.addfile(info, io.BytesIO(data))
    add(os.path.realpath(os.path.join(prefix, "bin", short)), "python/bin/" + short)
    link = tarfile.TarInfo("python/bin/python3")
    link.type, link.linkname = tarfile.SYMTYPE, short
    tar.addfile(link)
    for folder, folders, files in os.walk(stdlib):
        folders[:] = sorted(name for name in folders if name not in skipped and not name.startswith("config-"))
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not name.startswith(("_test", "_ctypes_test", "sitecustomize")):
                inside = os.path.relpath(path, stdlib)
                if name.endswith(".so") and os.path.getsize(path) > 300000:
                    continue
                add(path, "python/lib/%s/%s" % (short, inside))
    marker = tarfile.TarInfo("python/lib/%s/site-packages" % short)
    marker.type, marker.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(marker)
"#;
