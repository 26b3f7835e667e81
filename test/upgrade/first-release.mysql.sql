-- What the first set of migrations makes of an empty MySQL database. Frozen: a released schema does not change.
CREATE TABLE `migrations` (
  `id` int NOT NULL AUTO_INCREMENT,
  `timestamp` bigint NOT NULL,
  `name` varchar(255) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
CREATE TABLE `users` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `modified` bigint NOT NULL,
  `name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `name_key` varchar(400) COLLATE utf8mb4_0900_bin NOT NULL,
  `email` varchar(254) COLLATE utf8mb4_0900_bin NOT NULL,
  `email_key` varchar(254) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `state` varchar(20) COLLATE utf8mb4_0900_bin NOT NULL,
  `is_admin` tinyint NOT NULL,
  `password_hash` varchar(200) COLLATE utf8mb4_0900_bin NOT NULL,
  `credentials_version` int NOT NULL,
  `last_signed_in` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_users_email_key` (`email_key`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `sessions` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `expires` bigint NOT NULL,
  `user_id` int NOT NULL,
  `token_hash` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `credentials_version` int NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_sessions_token_hash` (`token_hash`),
  KEY `ix_sessions_user_id` (`user_id`),
  KEY `ix_sessions_expires` (`expires`),
  CONSTRAINT `fk_sessions_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `sign_in_attempts` (
  `counter` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `amount` int NOT NULL,
  `expires` bigint NOT NULL,
  PRIMARY KEY (`counter`),
  KEY `ix_sign_in_attempts_expires` (`expires`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `sign_in_addresses` (
  `user_id` int NOT NULL,
  `address` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `expires` bigint NOT NULL,
  PRIMARY KEY (`user_id`,`address`),
  KEY `ix_sign_in_addresses_expires` (`expires`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `applications` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `modified` bigint NOT NULL,
  `name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `name_key` varchar(400) COLLATE utf8mb4_0900_bin NOT NULL,
  `description` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `timezone` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `currency` varchar(3) COLLATE utf8mb4_0900_bin NOT NULL,
  `attributes` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_applications_name_key` (`name_key`)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `api_keys` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `created_by` int NOT NULL,
  `name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `name_key` varchar(400) COLLATE utf8mb4_0900_bin NOT NULL,
  `key_hash` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `hint` varchar(16) COLLATE utf8mb4_0900_bin NOT NULL,
  `expiry_date` bigint NOT NULL,
  `all_applications` tinyint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_api_keys_key_hash` (`key_hash`),
  KEY `ix_api_keys_created_by` (`created_by`),
  CONSTRAINT `fk_api_keys_created_by` FOREIGN KEY (`created_by`) REFERENCES `users` (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `api_key_applications` (
  `api_key_id` int NOT NULL,
  `application_id` int NOT NULL,
  PRIMARY KEY (`api_key_id`,`application_id`),
  KEY `ix_api_key_applications_application_id` (`application_id`),
  CONSTRAINT `fk_api_key_applications_api_key` FOREIGN KEY (`api_key_id`) REFERENCES `api_keys` (`id`) ON DELETE CASCADE,
  CONSTRAINT `fk_api_key_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `api_key_endpoints` (
  `api_key_id` int NOT NULL,
  `position` int NOT NULL,
  `service` varchar(42) COLLATE utf8mb4_0900_bin NOT NULL,
  `method` varchar(16) COLLATE utf8mb4_0900_bin NOT NULL,
  `path` varchar(512) COLLATE utf8mb4_0900_bin NOT NULL,
  PRIMARY KEY (`api_key_id`,`position`),
  KEY `ix_api_key_endpoints_endpoint` (`service`,`method`,`path`),
  CONSTRAINT `fk_api_key_endpoints_api_key` FOREIGN KEY (`api_key_id`) REFERENCES `api_keys` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `api_key_usage` (
  `api_key_id` int NOT NULL,
  `counter` varchar(64) COLLATE utf8mb4_0900_bin NOT NULL,
  `day` int NOT NULL,
  `service` varchar(42) COLLATE utf8mb4_0900_bin NOT NULL,
  `method` varchar(16) COLLATE utf8mb4_0900_bin NOT NULL,
  `path` varchar(512) COLLATE utf8mb4_0900_bin NOT NULL,
  `application_id` int DEFAULT NULL,
  `outcome` varchar(40) COLLATE utf8mb4_0900_bin NOT NULL,
  `amount` bigint NOT NULL,
  `last_used` bigint NOT NULL,
  PRIMARY KEY (`api_key_id`,`counter`),
  KEY `ix_api_key_usage_last_used` (`api_key_id`,`outcome`,`last_used`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `campaigns` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `updated` bigint NOT NULL,
  `application_id` int NOT NULL,
  `user_id` int NOT NULL,
  `updated_by` int NOT NULL,
  `name` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `name_key` varchar(1020) COLLATE utf8mb4_0900_bin NOT NULL,
  `description` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `start_time` bigint DEFAULT NULL,
  `end_time` bigint DEFAULT NULL,
  `attributes` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `state` varchar(10) COLLATE utf8mb4_0900_bin NOT NULL,
  `tags` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `tags_key` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `reevaluate_on_return` tinyint NOT NULL,
  `features` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `limits` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `being_deleted` tinyint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_campaigns_application_id` (`application_id`,`id`),
  KEY `ix_campaigns_being_deleted` (`being_deleted`),
  CONSTRAINT `fk_campaigns_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `coupons` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `campaign_id` int NOT NULL,
  `application_id` int NOT NULL,
  `value` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `usage_limit` int NOT NULL,
  `usage_counter` int NOT NULL,
  `discount_limit` double DEFAULT NULL,
  `discount_counter` double NOT NULL,
  `reservation_limit` int DEFAULT NULL,
  `start_date` bigint DEFAULT NULL,
  `expiry_date` bigint DEFAULT NULL,
  `attributes` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `recipient_integration_id` varchar(255) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `import_id` int DEFAULT NULL,
  `batch_id` varchar(36) COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `is_reservation_mandatory` tinyint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_coupons_application_value` (`application_id`,`value`),
  KEY `ix_coupons_campaign_id` (`campaign_id`,`id`,`created`,`start_date`,`expiry_date`,`usage_limit`,`usage_counter`,`value`),
  KEY `ix_coupons_batch_id` (`campaign_id`,`batch_id`),
  KEY `ix_coupons_recipient` (`campaign_id`,`recipient_integration_id`),
  CONSTRAINT `fk_coupons_campaign` FOREIGN KEY (`campaign_id`) REFERENCES `campaigns` (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `coupon_imports` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `campaign_id` int NOT NULL,
  `user_id` int NOT NULL,
  `amount` int NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_coupon_imports_campaign_id` (`campaign_id`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `changes` (
  `id` int NOT NULL AUTO_INCREMENT,
  `created` bigint NOT NULL,
  `user_id` int NOT NULL,
  `application_id` int DEFAULT NULL,
  `entity` varchar(512) COLLATE utf8mb4_0900_bin NOT NULL,
  `management_key_id` int DEFAULT NULL,
  `hidden_from_keys` tinyint NOT NULL,
  `old` mediumtext COLLATE utf8mb4_0900_bin,
  `new` mediumtext COLLATE utf8mb4_0900_bin,
  PRIMARY KEY (`id`),
  KEY `ix_changes_created` (`created`,`id`,`hidden_from_keys`,`user_id`,`application_id`,`management_key_id`,`entity`),
  KEY `ix_changes_user_id` (`user_id`,`created`,`id`,`hidden_from_keys`,`application_id`,`management_key_id`,`entity`),
  KEY `ix_changes_application_id` (`application_id`,`created`,`id`,`hidden_from_keys`,`user_id`,`management_key_id`,`entity`),
  KEY `ix_changes_management_key_id` (`management_key_id`,`created`,`id`,`hidden_from_keys`,`user_id`,`application_id`,`entity`)
) ENGINE=InnoDB AUTO_INCREMENT=21 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `services` (
  `id` int NOT NULL AUTO_INCREMENT,
  `service` varchar(42) COLLATE utf8mb4_0900_bin NOT NULL,
  `created` bigint NOT NULL,
  `modified` bigint NOT NULL,
  `name` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `description` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `application_parameter` varchar(100) COLLATE utf8mb4_0900_bin NOT NULL,
  `skipped` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_services_service` (`service`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `service_endpoints` (
  `id` int NOT NULL AUTO_INCREMENT,
  `service_id` int NOT NULL,
  `method` varchar(16) COLLATE utf8mb4_0900_bin NOT NULL,
  `path` varchar(512) COLLATE utf8mb4_0900_bin NOT NULL,
  `shape` varchar(512) COLLATE utf8mb4_0900_bin NOT NULL,
  `application_scoped` tinyint NOT NULL,
  `summary` mediumtext COLLATE utf8mb4_0900_bin NOT NULL,
  `tag` varchar(255) COLLATE utf8mb4_0900_bin NOT NULL,
  `deprecated` tinyint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_service_endpoints_shape` (`service_id`,`method`,`shape`),
  CONSTRAINT `fk_service_endpoints_service` FOREIGN KEY (`service_id`) REFERENCES `services` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
CREATE TABLE `catalogue_revision` (
  `id` int NOT NULL AUTO_INCREMENT,
  `revision` int NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
