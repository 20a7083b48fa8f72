<?php
// Installs WordPress into its database and prints an application password for its one author.
// Run as: php setup.php SITE
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Desk', 'desk', 'desk@example.org', true, '', wp_generate_password());
update_option('permalink_structure', '/%postname%/');
$user = get_user_by('login', 'desk');
[$password] = WP_Application_Passwords::create_new_application_password($user->ID, ['name' => 'desk']);
echo json_encode(['user' => 'desk', 'app_password' => $password, 'version' => get_bloginfo('version')]);
