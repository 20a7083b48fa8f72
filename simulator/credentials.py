"""The demo's keys: made up here, opening nothing but the simulator, free to be printed."""

WORDPRESS_USER = "desk"
WORDPRESS_APP_PASSWORD = "demo demo demo demo demo demo"  # noqa: S105 - opens the simulator only

MASTODON_TOKEN = "demo-mastodon-token-not-a-secret"  # noqa: S105 - opens the simulator only
MASTODON_ACCOUNT = "newsdesk"

# Standard Webhooks: the prefix, then base64 of the key: "newsdesk-demo-webhook-key-not-secret".
WEBHOOK_SECRET = "whsec_bmV3c2Rlc2stZGVtby13ZWJob29rLWtleS1ub3Qtc2VjcmV0"  # noqa: S105 - as above

REDDIT_CLIENT_ID = "demo-reddit-client"
REDDIT_CLIENT_SECRET = "demo-reddit-secret-not-a-secret"  # noqa: S105 - opens the simulator only
REDDIT_SUBREDDIT = "northmark"

OPENAI_KEY = "sk-demo-openai-not-a-secret"
OPENAI_MODEL = "gpt-6-luna"
ANTHROPIC_KEY = "sk-ant-demo-anthropic-not-a-secret"
ANTHROPIC_MODEL = "claude-haiku-5-5"
OLLAMA_MODEL = "llama3.2"
