<?php
// A WordPress on loopback: the address comes from the environment, the data is in SQLite.
foreach (['DB_NAME' => 'wordpress', 'DB_USER' => '', 'DB_PASSWORD' => '', 'DB_HOST' => ''] as $name => $value) {
    define($name, $value);
}
define('DB_DIR', getenv('SITE_DATA') . '/');
define('DB_FILE', 'wordpress.sqlite');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY'] as $name) {
    define($name, getenv('SITE_SECRET') . $name);
    define(str_replace('KEY', 'SALT', $name), getenv('SITE_SECRET') . $name . 'SALT');
}
define('WP_HOME', getenv('SITE_URL'));
define('WP_SITEURL', getenv('SITE_URL'));
define('WP_ENVIRONMENT_TYPE', 'local'); // application passwords without https
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
