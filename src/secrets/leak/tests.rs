use super::*;

fn found(text: &str) -> Vec<String> {
    let guard = Guard::new(["HEARTBEAT_URL"], []);
    guard
        .find(text.as_bytes())
        .into_iter()
        .map(|it| it.name)
        .collect()
}

#[test]
fn knows_what_makers_give_out() {
    let hex = "0123456789abcdef".repeat(4);
    let letters = "Ab3dE6gH9jKlMn0pQrS2uVwX4z";
    for (text, name) in [
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(),
            "private-key",
        ),
        ("-----BEGIN PRIVATE KEY-----".to_owned(), "private-key"),
        (
            "-----BEGIN PGP PRIVATE KEY BLOCK-----".to_owned(),
            "private-key",
        ),
        (
            format!("AGE-SECRET-KEY-1{}", "Q".repeat(58)),
            "age-identity",
        ),
        (format!("K10{hex}::server:x1y2z3"), "k3s-token"),
        (format!("AKIA{}", "A".repeat(16)), "aws-access-key"),
        (format!("ghp_{}", "a1".repeat(18)), "github-token"),
        (format!("github_pat_{}", "a1_".repeat(27)), "github-token"),
        (format!("glpat-{letters}"), "gitlab-token"),
        (format!("AIza{}", "a1b2c".repeat(7)), "google-api-key"),
        (format!("dop_v1_{hex}"), "digitalocean-token"),
        (format!("xoxb-{letters}"), "slack-token"),
        (
            format!("https://hooks.slack.com/services/T000/B000/{letters}"),
            "slack-webhook",
        ),
        (
            format!("https://discord.com/api/webhooks/123/{letters}"),
            "discord-webhook",
        ),
        (
            format!("123456789:AA{}", "a1B".repeat(11)),
            "telegram-token",
        ),
        (format!("sk_live_{letters}"), "stripe-key"),
        (format!("npm_{}", "a1".repeat(18)), "npm-token"),
        (format!("tskey-auth-{letters}"), "tailscale-key"),
        (format!("hvs.{letters}"), "vault-token"),
        (format!("sk-ant-{letters}{letters}"), "openai-key"),
        (format!("hf_{letters}{letters}"), "huggingface-token"),
        (
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{letters}"),
            "jwt",
        ),
        (
            r#""keyFile":{"source":"data:,opensesame"}"#.to_owned(),
            "luks-key",
        ),
        (format!("Authorization: Bearer {letters}"), "authorization"),
        (
            format!(r#"{{"name":"Authorization","value":"token {letters}"}}"#),
            "authorization",
        ),
        ("Authorization: Basic dTpwdw==".to_owned(), "authorization"),
        (
            "  authorization: ApiKey q7Zk29XbL0".to_owned(),
            "authorization",
        ),
        (
            r#"{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}"#.to_owned(),
            "registry-auth",
        ),
        (format!("https://{letters}@github.com/a/b"), "url-token"),
        ("HTTPS://me:open@example.net".to_owned(), "url-password"),
        (
            "https://me:open-sesame@example.net/x".to_owned(),
            "url-password",
        ),
    ] {
        assert_eq!(found(&text), [name], "{text}");
    }
}

#[test]
fn sees_a_random_value_where_a_secrets_name_stands() {
    let value = "9c1e5b2270aa41f3";
    for (text, name) in [
        (format!("API_TOKEN={value}"), "API_TOKEN"),
        (format!("export DB_PASSWORD='{value}'"), "DB_PASSWORD"),
        (format!("  dbPassword: \"{value}\""), "dbPassword"),
        (
            format!("{{\"client_secret\":\"{value}\"}}"),
            "client_secret",
        ),
        (
            format!("- name: S3_SECRET_KEY\n  value: {value}\n"),
            "S3_SECRET_KEY",
        ),
        (
            format!("{{\"name\":\"X-Api-Key\",\"value\":\"{value}\"}}"),
            "X-Api-Key",
        ),
        (format!("k3s agent --token {value}"), "--token"),
        (format!("args: [\"--token\", \"{value}\"]"), "--token"),
        (format!("- --token\n- {value}\n"), "--token"),
        (format!("password: |\n    {value}\n"), "password"),
        (format!("password: >-\n    {value}\n"), "password"),
        (format!("password = \"\"\"\n{value}\"\"\""), "password"),
        (format!("DB_PASS={value}"), "DB_PASS"),
        (
            format!("aws_secret_access_key = /bcd{value}"),
            "aws_secret_access_key",
        ),
        (
            format!("HEARTBEAT_URL=https://ping.example.net/{value}"),
            "HEARTBEAT_URL",
        ),
        (
            format!("HEARTBEAT_URL=https://hc.net/{value}"),
            "HEARTBEAT_URL",
        ),
    ] {
        assert_eq!(found(&text), [name], "{text}");
    }
}

#[test]
fn leaves_alone_what_is_public() {
    let value = "9c1e5b2270aa41f3";
    for text in [
        format!("K3S_TOKEN = \"age:7b6369a9:{value}:YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOQ==\""),
        format!("K3S_TOKEN=${{TOKEN_{value}}}"),
        format!("K3S_TOKEN=$(cat /secrets/{value})"),
        format!("K3S_TOKEN_FILE=/secrets/{value}"),
        format!("K3S_TOKEN=/secrets/{value}"),
        format!("token: {{{{ vars.token_{value} }}}}"),
        format!("secretName: tls-{value}"),
        format!("password_hash: $y$j9T${value}${value}"),
        format!("token_sha256={value}"),
        format!("the token {value} in a sentence"),
        format!("HEARTBEAT_URL is set; hash: sha512-{value}"),
        "HEARTBEAT_URL=https://status.example.net/ping".to_owned(),
        "https://user@example.net/x and https://user:${PASS_9c1e5b}@example.net".to_owned(),
        format!("secretImage: docker.io/x/y@sha256:{value}{value}"),
        format!("TOKEN_IMAGE=ghcr.io/a/b:sha-{value}"),
        format!("TOKEN_SERVICE_COMMIT={value}"),
        format!("signing_key_pub = \"{value}\""),
        format!("token: AgB{}", value.repeat(40)),
        format!("secret: op://{value}/x"),
        format!("LoadCredential=token:/etc/{value}"),
        format!("tokenEndpoint: https://login.test/{value}/token"),
        format!("token := x509.NewToken(a{value})"),
        "postgres://app:password@db/x".to_owned(),
        "Authorization: Bearer ${TOKEN}".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "-----BEGIN CERTIFICATE-----".to_owned(),
        "ssh_authorized_keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0\"]"
            .to_owned(),
    ] {
        assert!(found(&text).is_empty(), "{text}: {:?}", found(&text));
    }
}

#[test]
fn looks_behind_encodings() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = STANDARD.encode("x: -----BEGIN EC PRIVATE KEY-----\n");
    let text = format!("client-key-data: {key}\n");
    let guard = Guard::new([], []);
    let findings = guard.find(text.as_bytes());
    let found = findings.iter().find(|it| it.name == "private-key");
    assert!(found.is_some_and(|it| text[it.span.clone()] == *key.trim_end_matches('=')));
}

#[test]
fn finds_known_values_once_each_and_where_they_are() {
    let one = b"correct horse battery".as_slice();
    let other =
        b"-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END X-----\n".as_slice();
    let guard = Guard::new([], [("ONE", one), ("OTHER", other), ("SHORT", b"1234567")]);
    let text = "a=correct%20horse%20battery, b: correct horse battery 1234567\n  MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n";
    let findings = guard.find(text.as_bytes());
    let told: Vec<(&str, &str)> = findings
        .iter()
        .map(|it| (it.name.as_str(), &text[it.span.clone()]))
        .collect();
    assert_eq!(
        told,
        [
            ("ONE", "a=correct%20horse%20battery,"),
            ("ONE", "correct horse battery"),
            ("OTHER", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw"),
        ]
    );
    assert!(findings.iter().all(|it| it.is_value));
}

#[test]
fn of_very_many_findings_the_first_are_told() {
    for between in [" ", "\n"] {
        let text = format!("API_TOKEN=q7Zk29XbL0vR4mTn8sPw{between}").repeat(20_000);
        assert_eq!(Guard::new([], []).find(text.as_bytes()).len(), 50);
    }
}

#[test]
fn what_can_t_be_looked_through_is_a_finding() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory takes it");
        STANDARD.encode(encoder.finish().expect("memory takes it")) + " "
    };
    let text = gzip(gzip(&vec![b'A'; 16 << 20]).repeat(40).as_bytes());
    assert_eq!(found(&text), ["too-much"]);
}

#[test]
fn in_what_is_no_text_only_a_mark_counts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let token = "ghp_abcdefghij1234567890abcdefghij123456";
    let sealed = STANDARD.encode(
        [
            b"\xff\xfe psk=9c1e5b2270aa41f3 \xff".as_slice(),
            token.as_bytes(),
        ]
        .concat(),
    );
    assert_eq!(found(&format!("age:x:y:{sealed}")), ["github-token"]);
}

#[test]
fn an_encrypted_value_may_hold_anything_by_chance() {
    let key = "AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1v";
    let encrypted = format!("A = \"age:4f1d0c9a:9c1e5b2270aa41f3:YWdl/{key}/x==\"");
    assert_eq!(found(&encrypted), [""; 0]);
    for text in [
        encrypted.replace("4f1d0c9a", "4f1d0c9"),
        encrypted.replace(":YWdl/", ":YWdl "),
        encrypted.replace("AIza", ":AIza"),
    ] {
        assert_eq!(found(&text), ["google-api-key"], "{text}");
    }
}

#[test]
fn the_shortest_text_that_a_rule_fits_is_looked_at() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let url = "a://:q7Zk@";
    assert_eq!(url.len(), rules::SHORTEST);
    assert_eq!(found(url), ["url-password"]);
    assert_eq!(found(&STANDARD.encode(url)), ["url-password"]);
    assert_eq!(found("a://:q7Z@"), [""; 0]);
    // A byte that is none of a text's stands before the mark.
    let token = b"\xffxoxb-q7Zk29XbL0";
    assert_eq!(token.len(), rules::SHORTEST_MARK + 1);
    assert_eq!(found(&STANDARD.encode(token)), ["slack-token"]);
    assert_eq!(found(&STANDARD.encode(&token[..15])), [""; 0]);
}

#[test]
fn a_value_is_as_long_as_its_rule_says() {
    for (before, value, after, name) in [
        ("API_TOKEN=", "9c1e5b2270aa", "", "API_TOKEN"),
        ("Authorization: ", "q7Zk29", "", "authorization"),
        ("https://me:", "open", "@example.net", "url-password"),
        ("https://", "9c1e5b2270aa41f3", "@x.net", "url-token"),
    ] {
        let at = format!("{before}{value}{after}");
        assert_eq!(found(&at), [name], "{at}");
        let below = format!("{before}{}{after}", &value[1..]);
        assert_eq!(found(&below), [""; 0], "{below}");
    }
}

#[test]
fn values_and_their_lines_are_searched_for_from_a_length_on() {
    let lines = "q7Zk29XbL0vR4mTn\nn8sPw5Yc1Hd6Jf3\n".to_owned();
    let values = [("AT", "12345678"), ("BELOW", "abcdefg"), ("LINES", &lines)];
    let values = values.map(|(name, value)| (name, value.as_bytes()));
    let guard = Guard::new([], values);
    let text = "12345678 abcdefg q7Zk29XbL0vR4mTn n8sPw5Yc1Hd6Jf3";
    let findings = guard.find(text.as_bytes());
    let told: Vec<&str> = findings.iter().map(|it| &text[it.span.clone()]).collect();
    assert_eq!(told, ["12345678", "q7Zk29XbL0vR4mTn"]);
}
