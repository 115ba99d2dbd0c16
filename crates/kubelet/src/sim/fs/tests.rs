use super::*;

#[test]
fn what_is_appended_goes_on_with_what_is_there_and_copies_nothing() {
    let (mut fs, mut volumes) = (Fs::default(), Volumes::new());
    fs.base.insert("/etc/motd", "image\n".into());
    for word in ["a", "b", "c"] {
        fs.write("/etc/motd", word.as_bytes(), true, &mut volumes).unwrap();
        fs.write("/tmp/log", word.as_bytes(), true, &mut volumes).unwrap();
    }
    let text = |path: &str| String::from_utf8_lossy(&fs.read(path, &volumes).unwrap()).into_owned();
    assert_eq!((text("/etc/motd").as_str(), text("/tmp/log").as_str()), ("image\nabc", "abc"));
    let Some(Entry::File(kept)) = fs.entry("/tmp/log", &volumes) else { panic!() };
    let seen = fs.look("/tmp/log", &volumes).flatten().unwrap();
    assert_eq!((seen.as_ptr(), seen.len()), (kept.as_ptr(), 3));
    // The image's own stays as it is, and what replaces a file has nothing of it.
    fs.write("/tmp/log", b"new", false, &mut volumes).unwrap();
    assert_eq!(&*fs.read("/tmp/log", &volumes).unwrap(), b"new");
    let most = vec![b'x'; MAX_FILE_BYTES - 3];
    fs.write("/tmp/log", &most, true, &mut volumes).unwrap();
    assert_eq!(fs.write("/tmp/log", b"x", true, &mut volumes), Err(FsError::NoSpace));
    assert_eq!(fs.len("/tmp/log", &volumes), Some(MAX_FILE_BYTES));
}
