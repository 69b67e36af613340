//! The leak guard: what looks like a secret, or is one, is in nothing public.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::fleet::{Fleet, RECIPIENT};
use crate::image::{demo_key, loaders};
use crate::repository::KNOWN_URL;
use crate::secrets::{set, vault};

const TOKEN: &str = "ghp_abcdefghij1234567890abcdefghij123456";

/// The value of `TOKEN`; nothing of it looks like a secret.
const VALUE: &str = "open/sesame & \"so\" on";

const ROLE: &str = "\n[roles.web]\nvariables = [\"TOKEN\", \"X_*\"]\nenv_file = \"web_env\"\n";

/// A node whose secret `TOKEN` is [`VALUE`].
fn with_secret() -> Fleet {
    let fleet = Fleet::new()
        .fleet(&(vault(&[RECIPIENT]) + ROLE))
        .node("n1", "roles = [\"web\"]\ntemplates = [\"base.bu\"]\n");
    set(&fleet, "n1", "TOKEN", VALUE);
    fleet
}

fn allow(file: &str, name: &str) -> String {
    format!(
        "\n[[vault.allow]]\nfile = {file:?}\nname = {name:?}\nreason = \"made up for a test\"\n"
    )
}

#[test]
fn what_looks_like_a_secret_is_refused_where_somebody_wrote_it() {
    let fleet = Fleet::new()
        .fleet(&format!("{KNOWN_URL}\n# {TOKEN}\n"))
        .node(
            "n1",
            &format!("templates = [\"base.bu\"]\n[vars]\nkey = \"{TOKEN}\"\n"),
        )
        .butane("unused.bu", &format!("# API_KEY={TOKEN}\n"))
        .file("templates/files/a/b.conf", format!("x\n  {TOKEN}"))
        .file(
            "templates/files/c.bin",
            format!("\u{0}{TOKEN}")
                .as_bytes()
                .iter()
                .copied()
                .chain([0xff])
                .collect::<Vec<u8>>(),
        );
    for command in ["check", "render"] {
        let run = fleet.run(&[command]).code(1).helps().hides(TOKEN);
        run.says(&[
            "what looks like a GitHub token stands in a public file",
            "fleet.toml:7:3",
            "nodes/n1.toml:3:8",
            "what looks like a secret in `API_KEY` stands in a public file",
            "templates/unused.bu:3:11",
            "what looks like a GitHub token stands in `templates/files/c.bin`",
            "templates/files/a/b.conf:2:3",
            "5 mistakes",
        ]);
    }
    assert!(!fleet.root().join("ignition").exists());
    let json = fleet.run(&["check", "--json"]).code(1).hides(TOKEN);
    assert!(json.stdout.contains("GitHub token"));
}

#[test]
fn what_a_template_puts_together_is_refused_once_for_all_nodes() {
    let (start, end) = TOKEN.split_at(10);
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .printing(&format!("'{{{{ \"{start}\" ~ \"{end}\" }}}}'"))
        .node("n2", "templates = [\"base.bu\"]\n");
    fleet.refuses().hides(TOKEN).says(&[
        "the rendered config holds what looks like a GitHub token, in `file /etc/printed`",
        "for n1, and on 1 more: n2",
        "file = \"ignition/*.ign\"",
        "name = \"github-token\"",
        "1 mistake",
    ]);
}

#[test]
fn the_boot_script_is_public_too() {
    let (start, end) = TOKEN.split_at(10);
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file("templates/boot.ipxe", format!("#!ipxe\nset x {{{{ \"{start}\" ~ \"{end}\" }}}}\nkernel x ignition.config.url=${{config-url}}\nboot\n"));
    let run = fleet.run(&["check"]).code(1).hides(TOKEN);
    run.says(&["the rendered boot script holds what looks like a GitHub token"]);
}

#[test]
fn a_finding_is_allowed_by_file_and_name_and_with_a_reason() {
    let text = format!(
        "storage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: API_KEY={TOKEN}\n"
    );
    let fleet = |allowed: &str| {
        Fleet::new()
            .fleet(&format!("{KNOWN_URL}{allowed}"))
            .butane("base.bu", &text)
    };
    // What is allowed where it is written is so where it is rendered.
    fleet(&allow("templates/base.bu", "API_KEY")).renders();
    fleet(&allow("templates/*.bu", "API_KEY")).renders();
    for (file, name) in [
        ("templates/other.bu", "API_KEY"),
        ("templates/base.bu", "TOKEN"),
    ] {
        let run = fleet(&allow(file, name)).refuses();
        run.says(&[
            "what looks like a secret in `API_KEY`",
            "there is nothing to allow",
        ]);
    }
    let without = allow("templates/base.bu", "API_KEY").replace("made up for a test", " ");
    fleet(&without)
        .refuses()
        .says(&["an entry of `vault.allow` lacks `reason`", "fleet.toml:"]);
    let run = fleet("\n[[vault.allow]]\nfiel = \"x\"\n").refuses();
    run.says(&["unknown key `fiel`", "lacks `file` and `name` and `reason`"]);
}

#[test]
fn what_is_allowed_and_not_there_any_more_is_a_warning() {
    let fleet = Fleet::new().fleet(&format!(
        "{KNOWN_URL}{}",
        allow("templates/base.bu", "API_KEY")
    ));
    let run = fleet.run(&["check"]).code(0);
    run.says(&[
        "warning: there is nothing to allow: `templates/base.bu` holds no `API_KEY`",
        "fleet.toml:7",
    ]);
}

#[test]
fn the_names_of_the_fleets_own_secrets_are_known() {
    let url = "https://ping.test/3f2a9b1c-55d0-4e8e-9b0d-1a2b3c4d5e6f";
    let fleet = Fleet::new()
        .fleet(&(vault(&[RECIPIENT]) + ROLE))
        .node("n1", "roles = [\"web\"]\ntemplates = [\"base.bu\"]\n[env]\nTOKEN = \"public\"\n")
        .node("n2", &format!("roles = [\"web\"]\ntemplates = [\"base.bu\"]\n[env]\nTOKEN = \"public\"\nX_PING = \"{url}\"\n"));
    fleet.renders();
    set(&fleet, "n1", "X_PING", url);
    let run = fleet.run(&["check"]).code(1).hides(url);
    run.says(&["what looks like a secret in `X_PING`", "nodes/n2.toml:5:11"]);
}

/// Every form in which a value could stand in a config.
fn forms(value: &str) -> Vec<String> {
    let digits = |before: &str| -> String {
        let digits: Vec<String> = value
            .bytes()
            .map(|byte| format!("{before}{byte:02x}"))
            .collect();
        digits.concat()
    };
    let (hex, percent) = (digits(""), digits("%"));
    let mut forms = vec![
        value.to_owned(),
        serde_json::to_string(value).unwrap(),
        value
            .replace('&', "%26")
            .replace('"', "%22")
            .replace(' ', "+"),
        percent,
        hex.to_uppercase(),
        hex,
    ];
    for before in ["", "a", "ab"] {
        forms.push(STANDARD.encode(format!("{before}{value}")));
        forms.push(URL_SAFE_NO_PAD.encode(format!("{before}{value}!")));
    }
    forms
}

#[test]
fn with_an_identity_each_value_is_searched_for_in_every_form() {
    let key = demo_key();
    let check = ["check", "--identity", key.to_str().unwrap()];
    let fleet = with_secret();
    fleet.run(&check).code(0);
    for form in forms(VALUE) {
        let (start, end) = form.split_at(4);
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let text = format!("{{{{ ({} ~ {}) | tojson }}}}", quote(start), quote(end));
        let fleet = with_secret().printing(&text);
        // Nobody would know it without a key.
        fleet.run(&["check"]).code(0);
        let run = fleet.run(&check).code(1).hides(VALUE).hides(&form);
        run.says(&[
            "the rendered config holds the value of the secret `TOKEN`, in `file /etc/printed`",
            "for n1",
        ]);
    }
}

#[test]
fn a_value_is_found_behind_gzip_and_in_a_template() {
    let key = demo_key();
    let check = ["check", "--identity", key.to_str().unwrap()];
    let long = format!("{}{VALUE}{}", "#\n".repeat(2000), "#\n".repeat(2000));
    let text = "storage:\n  files:\n    - path: /etc/x\n      contents:\n        local: long.txt\n";
    let fleet = with_secret()
        .butane("base.bu", text)
        .file("templates/files/long.txt", long);
    let run = fleet.run(&check).code(1).hides(VALUE);
    run.says(&[
        "the value of the secret `TOKEN` stands in a public file",
        "templates/files/long.txt:2001:1",
        "1 mistake",
    ]);
    fleet.renders();
    assert!(fleet.read("ignition/n1.ign").contains("gzip"));
    // The same where no file that people wrote holds it as it is.
    let (start, end) = VALUE.split_at(4);
    let lines = format!("{{% for _ in range(2000) %}}#{{% endfor %}}{{{{ '{start}' ~ '{end}' }}}}");
    let fleet = with_secret().printing(&format!("'{lines}'"));
    let run = fleet.run(&check).code(1).hides(VALUE);
    run.says(&["the rendered config holds the value of the secret `TOKEN`"]);
    assert!({
        fleet.renders();
        fleet.read("ignition/n1.ign").contains("gzip")
    });
}

#[test]
fn a_value_may_be_allowed_too() {
    let key = demo_key();
    let fleet = with_secret().printing("'open/sesame &{{ \" \" }}\"so\" on'");
    let check = ["check", "--identity", key.to_str().unwrap()];
    fleet.run(&check).code(1);
    let text = fleet.read("fleet.toml") + &allow("ignition/n1.ign", "TOKEN");
    let fleet = fleet.file("fleet.toml", text);
    fleet.run(&check).code(0);
    // Without a key nobody can say that there is nothing to allow.
    let run = fleet.run(&["check"]).code(0);
    assert!(!run.stderr.contains("allow"), "{}", run.stderr);
}

#[test]
fn values_that_are_not_searched_for_are_named() {
    let key = demo_key();
    let fleet = with_secret().printing("'1234567 public-name'");
    let text = fleet.read("fleet.toml") + "\n[defaults.vars]\nname = \"public-name\"\n";
    let fleet = fleet.file("fleet.toml", text);
    set(&fleet, "n1", "X_SHORT", "1234567");
    set(&fleet, "n1", "X_NAME", "public-name");
    set(&fleet, "n1", "X_LONG", "12345678");
    let run = fleet
        .run(&["check", "--identity", key.to_str().unwrap()])
        .code(0);
    let run = run.says(&[
        "warning: the value of `X_SHORT` is not searched for: it has under 8 bytes",
        "nodes/n1.toml:",
        "warning: the value of `X_NAME` is not searched for: it is equal to a text that is public in this fleet",
    ]);
    assert!(!run.stderr.contains("X_LONG"), "{}", run.stderr);
    set(&fleet, "n1", "X_LONG", "7 public");
    fleet
        .run(&["check", "--identity", key.to_str().unwrap()])
        .code(1);
}

#[test]
fn an_image_is_refused_where_another_nodes_config_holds_its_secret() {
    let Some(loaders) = loaders() else { return };
    let (start, end) = VALUE.split_at(4);
    let quote = |text: &str| serde_json::to_string(text).unwrap();
    let text = format!(
        "storage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: {{{{ ({} ~ {}) | tojson }}}}\n",
        quote(start),
        quote(end)
    );
    let fleet = with_secret()
        .butane("other.bu", &text)
        .node("n2", "templates = [\"other.bu\"]\n");
    let key = demo_key();
    let args = [
        "image",
        "n1",
        "-o",
        "/tmp/none/x.img",
        "-i",
        key.to_str().unwrap(),
        "--ipxe",
        loaders.to_str().unwrap(),
    ];
    let output = fleet.root().with_file_name("n1.img");
    let mut args = args;
    args[3] = output.to_str().unwrap();
    let run = fleet.run(&args).code(1).hides(VALUE);
    run.says(&[
        "the rendered config holds the value of the secret `TOKEN`, in `file /etc/x`",
        "for n2",
    ]);
    assert!(!output.exists());
    let fleet = fleet.node("n2", "templates = [\"base.bu\"]\n");
    fleet.run(&args).code(0);
}

#[test]
fn a_long_key_of_a_disk_is_one_too() {
    let key = STANDARD.encode([7; 4096]);
    let text = format!(
        "storage:\n  luks:\n    - name: data\n      device: /dev/vda\n      key_file:\n        source: data:;base64,{key}\n"
    );
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", &text);
    let run = fleet.run(&["check"]).code(1);
    run.says(&["the rendered config holds what looks like the key of an encrypted disk"]);
}

#[test]
fn what_is_allowed_may_hold_a_plus() {
    let text = "storage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: API_TOKEN=\"q7Zk29XbL0v+R4mTn8sPw\"\n";
    let allowed = allow("templates/base.bu", "API_TOKEN");
    let fleet = Fleet::new()
        .fleet(&format!("{KNOWN_URL}{allowed}"))
        .butane("base.bu", text);
    fleet.run(&["check"]).code(0);
}

#[test]
fn a_file_that_is_no_text_and_no_template_is_no_matter() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file("templates/a.bin", [0xff, 0xfe]);
    fleet.run(&["check"]).code(0);
}

#[test]
fn a_file_that_is_too_large_to_be_looked_through_is_refused() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file("templates/files/big", "");
    let file = std::fs::File::options()
        .write(true)
        .open(fleet.root().join("templates/files/big"));
    file.unwrap().set_len(65 << 20).unwrap();
    let run = fleet.run(&["check"]).code(1).helps();
    run.says(&["`templates/files/big` is too large to be looked through"]);
}
