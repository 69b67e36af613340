use super::*;
use crate::ipxe::read;

fn run_with(text: &str, fails: &dyn Fn(usize) -> bool) -> Run {
    let settings = [("config-url".to_owned(), "http://g/n1.ign".to_owned())].into();
    run(&read(&format!("#!ipxe\n{text}")), &settings, fails)
}

fn cmdline(text: &str) -> Option<String> {
    run_with(text, &|_| false).cmdline().map(str::to_owned)
}

#[test]
fn arguments_are_joined_by_single_spaces_after_expansion() {
    assert_eq!(
        cmdline("set args a  b\nkernel http://m/k   ${args} u=${config-url}  m=${net0/mac}\nboot"),
        Some("a b u=http://g/n1.ign m=${net0/mac}".into())
    );
}

#[test]
fn a_loop_over_mirrors_takes_the_first_that_answers() {
    let text = "set mirror0 http://a\nset mirror1 http://b\nset n 0\n\
        :next\nset base ${mirror${n}}\nisset ${base} || goto failed\ninc n\n\
        kernel ${base}/k x=${base} || goto next\nboot\n:failed\nexit 1";
    let line = |failing: usize| {
        let run = run_with(text, &|fetch| fetch < failing);
        run.cmdline().map(str::to_owned)
    };
    assert_eq!(line(0).as_deref(), Some("x=http://a"));
    assert_eq!(line(1).as_deref(), Some("x=http://b"));
    assert_eq!(run_with(text, &|_| true).end, End::Fails);
}

#[test]
fn operators_follow_the_last_command_that_ran() {
    let ends = |text: &str| run_with(text, &|_| true).end;
    assert_eq!(ends("isset x && exit 0 || exit 1"), End::Succeeds);
    assert_eq!(ends("isset ${x} && exit 0 || exit 1"), End::Fails);
    assert_eq!(ends("isset ${x} ||\nexit 0"), End::Succeeds);
    assert_eq!(ends("isset ${x}\nexit 0"), End::Fails);
    assert_eq!(ends("isset ${x} ; exit 0"), End::Succeeds);
    assert_eq!(ends("no-such-command || exit 0"), End::Succeeds);
    assert_eq!(ends("echo"), End::Succeeds);
    assert_eq!(ends("echo \\"), End::Fails);
}

#[test]
fn endless_scripts_end() {
    assert_eq!(run_with(":a\ngoto a", &|_| true).end, End::Endless);
    let text = "set d $\nset a ${d}{a}\necho ${a}";
    assert_eq!(run_with(text, &|_| true).end, End::Succeeds);
    let settings = [("a".to_owned(), "${a}".to_owned())].into();
    let run = run(&read("#!ipxe\necho ${a}"), &settings, &|_| true);
    assert_eq!(run.end, End::Endless);
}

#[test]
fn images_are_kept_freed_and_named() {
    let text = "kernel --name k http://m/vmlinuz a\ninitrd http://m/i.img\nimgargs k b c\nboot";
    let End::Boots(boot) = run_with(text, &|_| false).end else {
        panic!("does not boot")
    };
    assert_eq!(
        (boot.kernel.name.as_str(), boot.kernel.cmdline.as_str()),
        ("k", "b c")
    );
    assert_eq!(boot.initrds[0].name, "i.img");
    assert_eq!(cmdline("kernel http://m/k\nimgfree\nboot"), None);
    assert_eq!(
        cmdline("initrd http://m/i\nkernel http://m/k a\nimgfree i\nboot"),
        Some("a".into())
    );
}

#[test]
fn what_is_no_script_fails() {
    assert_eq!(
        run(&read("boot"), &BTreeMap::new(), &|_| false).end,
        End::Fails
    );
}

#[test]
fn images_are_found_by_name_where_ipxe_looks_for_them() {
    let text = "imgfetch http://m/k a\nkernel k\nboot";
    assert_eq!(cmdline(text).as_deref(), Some("a"));
    let text = "kernel http://m/k a\nboot k b";
    assert_eq!(cmdline(text).as_deref(), Some("b"));
    let text = "kernel http://m/k a\nimgargs k\nboot";
    assert_eq!(cmdline(text).as_deref(), Some(""));
    // `initrd` always fetches.
    let text = "kernel http://m/k a\ninitrd k\nboot";
    assert_eq!(run_with(text, &|_| false).fetches.len(), 2);
}
