use super::*;

fn story() -> Story {
    Story::new("ipxe/n1.ipxe", "ignition/n1.ign", true)
}

fn asked(path: &str, status: u16) -> Event<'_> {
    Event::Asked {
        path,
        status,
        bytes: 3 << 20,
        trouble: None,
    }
}

/// What is told of a console's text.
fn console(story: &mut Story, text: &str) -> Vec<String> {
    let lines = text.lines();
    let told = lines.flat_map(|line| story.tell(&Event::Console(line)));
    told.map(|line| line.text).collect()
}

fn told(story: &mut Story, event: &Event) -> Vec<String> {
    story
        .tell(event)
        .into_iter()
        .map(|line| line.text)
        .collect()
}

fn why(story: &Story) -> &str {
    match story.verdict() {
        Some(Verdict::Failed(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn report(text: &str) -> Report {
    Report::read(text.as_bytes())
}

#[test]
fn a_boot_that_goes_well_is_told_in_few_lines() {
    let mut story = story();
    let mut all = console(
        &mut story,
        "BdsDxe: starting Boot0001 \"UEFI Misc Device\"\n\
         iPXE initialising devices...\n\
         Ephemeros: the stick of n1\n\
         Ephemeros: asking for an address by DHCP, on every card\n\
         Ephemeros: fetching the boot script from http://10.0.2.100/ipxe/n1.ipxe\n",
    );
    for path in [
        "ipxe/n1.ipxe",
        "os/stable/amd64-usr/4593.2.5/flatcar_production_pxe.vmlinuz",
    ] {
        all.extend(told(&mut story, &asked(path, 200)));
    }
    all.extend(console(
        &mut story,
        "[    0.000000] Linux version 6.1.0-42-cloud-amd64\n",
    ));
    all.extend(told(&mut story, &asked("ignition/n1.ign", 200)));
    // Ignition asks for it more than once where it is told to.
    all.extend(told(&mut story, &asked("ignition/n1.ign", 200)));
    all.extend(console(
        &mut story,
        "ignition[1]: Stage: fetch\n\
         ignition[1]: Ignition finished successfully\n\
         ignition[1]: Stage: files\n\
         ignition[1]: files: files passed\n\
         ignition[1]: Ignition finished successfully\n\
         Welcome to Debian GNU/Linux 12 (bookworm)!\n",
    ));
    all.extend(told(
        &mut story,
        &Event::Reported(&report("state starting\njob k3s.service start running\n")),
    ));
    all.extend(told(&mut story, &asked("stand-in/HEARTBEAT_URL", 200)));
    all.extend(told(
        &mut story,
        &Event::Reported(&report("state running\n")),
    ));
    assert_eq!(
        all,
        [
            "iPXE runs the stick of n1",
            "fetched its boot script, ipxe/n1.ipxe",
            "fetched flatcar_production_pxe.vmlinuz, 3 MiB",
            "Linux starts",
            "fetched its config, ignition/n1.ign",
            "Ignition is done",
            "the system starts: Debian GNU/Linux 12 (bookworm)",
            "the node has reported in",
            "heartbeat received at HEARTBEAT_URL",
        ]
    );
    assert_eq!(story.verdict(), Some(&Verdict::Online));
}

#[test]
fn what_ignition_can_t_do_is_the_end() {
    let mut story = story();
    let all = console(
        &mut story,
        "ignition[1]: GET http://10.0.2.100/ignition/n1.ign: attempt #1\n\
         ignition[1]: GET result: Not Found\n\
         ignition[1]: Ignition failed: resource not found\n\
         stand-in: fails: Ignition, in its stage fetch\n",
    );
    let told = "Ignition failed: http://10.0.2.100/ignition/n1.ign is not there: Not Found";
    assert_eq!(all, [told]);
    assert_eq!(why(&story), told);
}

#[test]
fn a_forge_that_is_down_is_the_end_after_the_second_try() {
    let mut story = story();
    let once = "Ephemeros: fetching the boot script from http://10.0.2.100/ipxe/n1.ipxe\n\
         http://10.0.2.100/ipxe/n1.ipxe... Connection timed out (https://ipxe.org/4c0a6092)\n\
         Ephemeros: it can't be had. Is its server up, and is everything pushed?\n\
         Ephemeros: trying again in 5 s\n";
    let all = console(&mut story, once);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[1].contains("Connection timed out"), "{all:?}");
    assert_eq!(story.verdict(), None);
    assert_eq!(console(&mut story, once), [""; 0]);
    assert!(why(&story).starts_with("the stick finds nothing to boot (http://10.0.2.100"));
}

#[test]
fn units_that_fail_are_told_with_what_they_said() {
    let mut story = story();
    let all = told(
        &mut story,
        &Event::Reported(&report(
            "state degraded\nfailed a.service\nlog a.service cat: /secrets/a: No such file or directory\n\
             log a.service a.service: Main process exited, code=exited, status=1/FAILURE\n\
             log a.service a.service: Failed with result 'exit-code'.\n",
        )),
    );
    assert_eq!(
        all,
        ["a.service failed: cat: /secrets/a: No such file or directory"]
    );
    assert_eq!(why(&story), "units failed: a.service");
}

#[test]
fn a_unit_that_says_nothing_is_told_with_how_it_ended() {
    let mut story = story();
    let text = "state degraded\nfailed a.service\nlog a.service Starting a.service...\n\
                log a.service a.service: Main process exited, code=exited, status=6\n\
                log a.service a.service: Failed with result 'exit-code'.\n\
                log a.service a.service: Consumed 1.342s CPU time.\n";
    let all = told(&mut story, &Event::Reported(&report(text)));
    let how = "a.service: Main process exited, code=exited, status=6";
    assert_eq!(all, [format!("a.service failed: {how}")]);
}

#[test]
fn what_never_came_is_no_success_though_nothing_failed() {
    let mut story = story();
    let lost = "Dependency failed for k3s.service - Kubernetes server.";
    let all = told(
        &mut story,
        &Event::Reported(&report(&format!("state running\nlost {lost}\n"))),
    );
    assert_eq!(all, [format!("systemd: {lost}")]);
    assert_eq!(why(&story), format!("units did not start: {lost}"));
}

#[test]
fn a_device_that_does_not_come_is_not_waited_for() {
    let mut story = story();
    let waiting =
        report("state starting\njob dev-disk-by\\x2dpartuuid-12ab\\x2d34.device start running\n");
    for _ in 0..20 {
        story.tell(&Event::Reported(&waiting));
    }
    assert_eq!(
        why(&story),
        "the system waits for /dev/disk/by-partuuid/12ab-34, which is not there"
    );
}

#[test]
fn an_end_without_a_reason_tells_how_far_it_came() {
    let mut late = story();
    console(&mut late, "Ephemeros: the stick of n1\n");
    late.tell(&Event::Late(60));
    assert_eq!(why(&late), "not within 60 s: iPXE runs the stick of n1");
    let mut silent = story();
    console(&mut silent, "Welcome to Flatcar Container Linux!\n");
    silent.tell(&Event::Late(60));
    assert!(why(&silent).contains("is its network up?"));
    let mut off = story();
    off.tell(&Event::Off);
    assert_eq!(why(&off), "the machine has switched itself off");
    let mut panic = story();
    console(
        &mut panic,
        "[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n",
    );
    assert!(why(&panic).contains("Unable to mount root fs"));
}

#[test]
fn what_the_server_can_t_give_is_the_end_when_it_stays_so() {
    let mut story = story();
    let refused = Event::Asked {
        path: "ignition/n1.ign",
        status: 500,
        bytes: 0,
        trouble: Some("the fleet's files have mistakes: no such key"),
    };
    let text =
        "the local server can't give ignition/n1.ign: the fleet's files have mistakes: no such key";
    assert_eq!(told(&mut story, &refused), [text]);
    assert_eq!(told(&mut story, &refused), [""; 0]);
    assert_eq!(story.verdict(), None);
    told(&mut story, &refused);
    assert_eq!(why(&story), text);
}

#[test]
fn without_reports_a_question_for_a_name_is_all_that_is_known() {
    let mut other = Story::new("ipxe/n1.ipxe", "ignition/n1.ign", false);
    other.tell(&Event::Begun("n1 login: "));
    assert_eq!(other.verdict(), Some(&Verdict::Online));
    let mut own = story();
    own.tell(&Event::Begun("n1 login: "));
    assert_eq!(own.verdict(), None);
}

#[test]
fn a_story_is_never_long() {
    let mut story = story();
    let paths: Vec<String> = (0..100).map(|it| format!("nothing/{it}")).collect();
    let lines = paths.iter().flat_map(|path| story.tell(&asked(path, 404)));
    assert_eq!(lines.count(), MOST);
}
