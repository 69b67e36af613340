//! The marks that makers of secrets gave them, from the documentation of their formats.

/// A mark that its maker gave a secret.
pub(super) struct Mark {
    /// What a fleet names it by, to allow one.
    pub(super) name: &'static str,
    /// With its article.
    pub(super) what: &'static str,
    /// One of these stands in whatever the pattern fits, once all letters are small.
    pub(super) parts: &'static [&'static str],
    pub(super) pattern: &'static str,
}

/// From the makers' documentation of their formats. A group, where there is one, is the part that has to look random.
pub(super) const MARKS: [Mark; 31] = [
    mark(
        "private-key",
        "a private key",
        &["private key"],
        "-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    ),
    mark(
        "age-identity",
        "an age identity",
        &["secret-key-"],
        "(?i)AGE-SECRET-KEY-(?:PQ-)?1[a-z0-9]{40,}",
    ),
    mark(
        "putty-key",
        "a private key",
        &["putty-user"],
        "PuTTY-User-Key-File-[0-9]",
    ),
    mark(
        "k3s-token",
        "a k3s token",
        &["k10"],
        "K10[0-9a-f]{64}::[A-Za-z0-9_.:-]{6,}",
    ),
    mark(
        "aws-access-key",
        "an AWS access key",
        &["akia", "asia"],
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    ),
    mark(
        "github-token",
        "a GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{60,}",
    ),
    mark(
        "gitlab-token",
        "a GitLab token",
        &[
            "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glagent-", "gloas-",
        ],
        r"\b(?:glpat|gldt|glrt|glptt|glcbt|glsoat|glagent|gloas)-[A-Za-z0-9_.-]{20,}",
    ),
    mark(
        "google-api-key",
        "a Google API key",
        &["aiza"],
        r"\bAIza[A-Za-z0-9_-]{35}",
    ),
    mark(
        "google-oauth",
        "a Google OAuth secret",
        &["gocspx-", "ya29."],
        r"\bGOCSPX-[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "azure-key",
        "an Azure key",
        &["accountkey=", "accesskey="],
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}=*",
    ),
    mark(
        "digitalocean-token",
        "a DigitalOcean token",
        &["_v1_"],
        r"\bdo[opr]_v1_[0-9a-f]{64}",
    ),
    mark(
        "slack-token",
        "a Slack token",
        &["xox", "xapp-"],
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}",
    ),
    mark(
        "slack-webhook",
        "a Slack webhook",
        &["hooks.slack.com"],
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
    ),
    mark(
        "discord-webhook",
        "a Discord webhook",
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "telegram-token",
        "a Telegram bot token",
        &[":aa"],
        r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    ),
    mark(
        "stripe-key",
        "a Stripe key",
        &["k_live_"],
        r"\b[sr]k_live_[A-Za-z0-9]{20,}",
    ),
    mark(
        "npm-token",
        "an npm token",
        &["npm_"],
        r"\bnpm_[A-Za-z0-9]{36}",
    ),
    mark(
        "pypi-token",
        "a PyPI token",
        &["pypi-age"],
        r"\bpypi-AgE[A-Za-z0-9_-]{40,}",
    ),
    mark(
        "docker-token",
        "a Docker Hub token",
        &["dckr_"],
        r"\bdckr_[po]at_[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "tailscale-key",
        "a Tailscale key",
        &["tskey-"],
        r"\btskey-[a-z]+-[A-Za-z0-9-]{15,}",
    ),
    mark(
        "vault-token",
        "a Vault token",
        &["hvs.", "hvb.", "hvr."],
        r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}",
    ),
    mark(
        "cloudflare-tunnel",
        "a Cloudflare tunnel token",
        &["eyjhijoi"],
        r"\beyJhIjoi[A-Za-z0-9+/_-]{80,}",
    ),
    mark(
        "grafana-token",
        "a Grafana token",
        &["glc_", "glsa_"],
        r"\bgl(?:c|sa)_[A-Za-z0-9+/=_-]{32,}",
    ),
    mark(
        "sendgrid-key",
        "a SendGrid key",
        &["sg."],
        r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}",
    ),
    mark(
        "openai-key",
        "an API key",
        &["sk-"],
        r"\bsk-(?:ant-|proj-)?([A-Za-z0-9_-]{32,})",
    ),
    mark(
        "huggingface-token",
        "a Hugging Face token",
        &["hf_"],
        r"\bhf_([A-Za-z0-9]{30,})",
    ),
    mark(
        "jwt",
        "a signed token",
        &[".eyj"],
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "luks-key",
        "the key of an encrypted disk",
        &[r#""keyfile":"#],
        r#""keyFile":\s*\{[^}]*"source":\s*"data:[^"]{8,}"#,
    ),
    mark(
        "registry-auth",
        "the credentials of a registry",
        &[r#""auth""#],
        r#""auth"\s*:\s*"[A-Za-z0-9+/]{8,}=*""#,
    ),
    mark(
        "authorization",
        "credentials of an HTTP request",
        &["rer ", "sic "],
        r"(?i)\b(?:bearer|basic) +([a-z0-9._~+/-]{12,}=*)",
    ),
    mark(
        "url-token",
        "a token in a URL",
        &["://"],
        r#"(?i)\bhttps?://([^\s/:@"'<>]{16,})@"#,
    ),
];

const fn mark(
    name: &'static str,
    what: &'static str,
    parts: &'static [&'static str],
    pattern: &'static str,
) -> Mark {
    Mark {
        name,
        what,
        parts,
        pattern,
    }
}
