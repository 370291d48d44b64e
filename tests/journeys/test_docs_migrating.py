"""What the page on migrating says of this command, row by row: each is held by tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from pages import names_of_tests, text_of

PAGE: Final = "migrating-from-aws_signing_helper.md"
SECTIONS: Final = (
    "Flag by flag",
    "What stays different",
    "Command by command",
    "Faults that you will not meet here",
)
# Paragraphs that say something of the helper or of the page alone.
OF_THE_HELPER: Final = (
    "What is said of the helper",
    "The helper's side",
    "Users of one or another client",
)

CACHE: Final = "cli/commands/test_credential_process_cache.py::"
CALL: Final = "cli/commands/test_credential_process.py::"
CHAIN: Final = "certificates/test_chain.py::"
FLAGS: Final = "cli/test_flags.py::"
GO: Final = "cli/test_parser_go.py::"
HOSTS: Final = "server/test_app_guard.py::"
KEEPING: Final = "credentials/test_refreshing.py::"
LOAD: Final = "server/test_listening_load.py::"
MIGRATING: Final = "cli/test_flags_migrating.py::"
NETWORK: Final = "create_session/test_client_network.py::"
PINS: Final = "identity/pkcs11/test_pin.py::"
ROLES: Final = "cli/commands/test_serve_roles.py::"
SECRETS: Final = "cli/test_flags_secrets.py::"
SELECTOR: Final = "cli/store/test_selector.py::"
SERVE: Final = "cli/commands/test_serve.py::"
SIGN: Final = "cli/commands/test_sign_string.py::"
START: Final = "cli/commands/test_serve_start.py::"
TURNS: Final = "cli/commands/test_credential_process_turns.py::"
UPDATE: Final = "cli/commands/test_update.py::"
USAGE: Final = "cli/test_flags_wrong_usage.py::"

# The first cell of a row, or the first words of a point or paragraph, and the tests that hold it.
HELD: Final[dict[str, tuple[str, ...]]] = {
    "`--certificate`": (
        "identity/files/test_contents.py::test_each_form_gets_a_session",
        f"{CHAIN}test_the_leaf_is_the_certificate_of_the_key_wherever_it_stands",
    ),
    "`--private-key`": (
        "identity/files/test_contents.py::test_each_form_gets_a_session",
        f"{FLAGS}test_the_private_key_may_be_left_out",
    ),
    "`--intermediates`": (
        f"{CHAIN}test_the_chain_is_ordered_whatever_the_order_of_the_file",
        f"{CHAIN}test_leaf_roots_strangers_and_copies_are_left_out",
        "identity/test_opening.py::test_intermediates_may_stand_beside_pkcs12",
        "identity/test_opening.py::test_an_empty_file_of_intermediates_is_refused",
    ),
    "`--trust-anchor-arn`, `--profile-arn`, `--role-arn`": (
        f"{MIGRATING}test_arns_are_checked_against_each_other",
        "settings/test_arns.py::test_arns_that_do_not_belong_together_are_refused",
    ),
    "`--session-duration`": (
        f"{FLAGS}test_an_hour_is_asked_for_where_the_helper_asks_for_one",
        f"{MIGRATING}test_beside_a_profile_no_duration_is_asked_for",
        "testing/emulator/test_grants.py::test_the_shorter_of_profile_and_request_holds",
    ),
    "`--role-session-name`": (f"{FLAGS}test_what_is_given_arrives",),
    "`--region`, `--endpoint`": (
        f"{FLAGS}test_what_is_given_arrives",
        f"{FLAGS}test_the_helpers_other_forms_are_taken",
    ),
    "`--no-verify-ssl`": (
        f"{CALL}test_an_unchecked_endpoint_is_warned_of_once",
        "create_session/test_trust.py::test_a_bundle_that_is_named_is_trusted_alone",
        "create_session/test_trust.py::test_the_command_trusts_the_systems_store",
    ),
    "`--with-proxy`": (
        f"{FLAGS}test_what_changes_nothing_is_accepted",
        f"{CALL}test_proxies_are_honoured_with_or_without_the_flag",
        "settings/test_urls.py::test_no_proxy_covers_names_ends_and_networks",
    ),
    "`--debug`": (f"{CALL}test_with_debug_it_tells_what_it_does_and_no_secret",),
    "`--pkcs8-password`": (
        f"{SECRETS}test_a_secret_comes_from_flag_variable_or_file",
        f"{CALL}test_an_encrypted_key_opens_by_flag_variable_or_file",
        f"{CALL}test_with_debug_it_tells_what_it_does_and_no_secret",  # beside a plain key
    ),
    "`--pkcs11-lib`": (
        "identity/pkcs11/test_library_path.py::test_found",
        f"{SIGN}test_a_token_signs_the_same",
    ),
    "`--pkcs11-pin`": (
        f"{SECRETS}test_a_secret_comes_from_flag_variable_or_file",
        f"{PINS}test_pin_value",
        f"{PINS}test_pin_source",
        "cli/test_prompt.py::test_a_pin_is_asked_for_once",
    ),
    "`--reuse-pin`": (
        f"{FLAGS}test_what_changes_nothing_is_accepted",
        f"{PINS}test_the_pin_is_given_with_each_signature",
    ),
    "`--tpm-key-password`": (
        f"{SECRETS}test_a_secret_comes_from_flag_variable_or_file",
        "identity/tpm/test_tpm_passwords.py::test_a_password_in_any_form",
    ),
    "`--no-tpm-key-password`": (
        f"{SECRETS}test_no_password_means_none_whatever_the_environment_says",
    ),
    "`--cert-selector`": (
        f"{SELECTOR}test_the_helpers_grammar",
        f"{SELECTOR}test_names_are_shown_as_the_helper_shows_them",
        f"{FLAGS}test_a_selector_without_a_store_says_what_to_name",
        f"{CALL}test_a_certificate_is_chosen_from_a_folder",
        f"{CALL}test_a_certificate_is_chosen_from_a_token",
    ),
    "`--use-latest-expiring-certificate`": (
        f"{SELECTOR}test_several_are_refused_unless_the_latest_is_asked_for",
    ),
    "`--system-store-name`": (f"{MIGRATING}test_the_store_of_windows_changes_nothing",),
    "`--port`, `--hop-limit` (`serve`)": (
        f"{START}test_a_port_in_use_is_told_before_aws_is_asked",
        f"{START}test_wrong_usage_is_told_in_one_line",
        "server/test_listening.py::test_the_hop_limit_is_that_of_accepted_sockets",
    ),
    "`--profile`, `--once` (`update`)": (f"{UPDATE}test_update_once_writes_what_boto3_reads",),
    "`--digest`, `--format` (`sign-string`)": (
        f"{SIGN}test_an_rsa_key_gives_the_helpers_bytes",
        f"{SIGN}test_the_three_formats_hold_the_same_without_a_line_break",
    ),
    "Values are read as the helper": (
        f"{GO}test_a_value_may_begin_with_a_dash",
        f"{GO}test_every_spelling_of_true_is_true",
        f"{GO}test_every_spelling_of_false_is_false",
        f"{GO}test_numbers_are_read_as_go_reads_them",
        f"{GO}test_flags_may_stand_before_the_command",
        f"{GO}test_words_that_no_flag_takes_are_passed_over_by_the_helpers_commands",
        f"{MIGRATING}test_a_flag_is_written_whole",
        "cli/test_prompt.py::test_a_person_is_asked_for_the_passphrase",
        "cli/test_prompt.py::test_a_pin_is_asked_for_once",
        "cli/test_prompt.py::test_the_password_of_a_tpm_key_is_asked_for_once",
    ),
    "The command refuses the same pairs": (
        f"{FLAGS}test_all_that_the_helper_refuses_together_is_known",
        f"{FLAGS}test_what_the_helper_refuses_together_is_refused",
        "journeys/test_docs.py::test_each_flag_of_the_helper_is_named_where_users_migrate",
    ),
    "The cache answers although a passphrase is wrong": (
        f"{CACHE}test_a_wrong_passphrase_is_noticed_where_the_key_is_opened",
    ),
    "IMDSv2 without a time to live": (
        "server/test_app.py::test_a_ttl_outside_1_to_21600_is_refused",
    ),
    "The certificate stores of Windows and macOS": (
        f"{SELECTOR}test_what_is_no_store_is_said",
        f"{CALL}test_a_certificate_is_chosen_from_a_folder",
        f"{CALL}test_a_certificate_is_chosen_from_a_token",
    ),
    "`update` refuses a profile with long-lived keys": (
        f"{UPDATE}test_update_writes_in_place_and_keeps_long_lived_keys",
    ),
    "Exit status of wrong usage": (
        "cli/test_cli.py::test_wrong_usage_has_one_status",
        f"{SERVE}test_what_is_printed_can_be_pasted_into_sh",
        f"{UPDATE}test_update_keeps_renewing_through_errors_until_it_is_told_to_end",
    ),
    "After a wrong PIN or TPM password": (
        "cli/test_prompt.py::test_a_pin_is_asked_for_once",
        "cli/test_prompt.py::test_the_password_of_a_tpm_key_is_asked_for_once",
        "cli/test_prompt.py::test_a_wrong_passphrase_is_asked_for_again",
        "identity/tpm/test_password.py::test_a_wrong_password_never_locks_the_tpm",
        "identity/pkcs11/test_token_tries.py::test_the_last_try_is_kept_back_after_a_wrong_pin",
    ),
    "`serve` prints the lines to paste": (
        f"{SERVE}test_what_is_printed_can_be_pasted_into_sh",
        "server/test_app.py::test_other_paths_are_not_there",
    ),
    "`serve` wants a Host": (
        f"{SERVE}test_a_client_may_come_by_another_port_or_an_allowed_name",
        f"{HOSTS}test_every_other_host_is_refused",
    ),
    "A SOCKS proxy is refused": (
        "settings/test_urls.py::test_each_fault_has_words_of_its_own_and_none_of_the_url",
    ),
    "An unknown attribute of a PKCS #11 URI": ("identity/pkcs11/test_uri.py::test_refuses",),
    "What both do": (
        f"{NETWORK}test_endpoints_of_every_kind_over_a_proxy_and_a_private_ca",
        "create_session/test_attempts.py::test_a_call_survives_what_passes_before_its_last_attempt",
        f"{SERVE}test_clients_go_over_to_new_credentials_by_themselves",
        f"{UPDATE}test_update_keeps_renewing_through_errors_until_it_is_told_to_end",
    ),
    "[credential-process]": (
        f"{TURNS}test_64_processes_that_start_at_once_ask_once",
        f"{CACHE}test_the_second_process_asks_nobody",
        f"{CACHE}test_a_wrong_passphrase_is_noticed_where_the_key_is_opened",
    ),
    "[serve]": (
        f"{SERVE}test_boto3_reads_by_imdsv2",
        f"{SERVE}test_boto3_reads_by_the_container_protocol",
        f"{ROLES}test_several_roles_each_have_their_path_and_token",
        f"{START}test_it_does_not_start_when_the_first_create_session_is_refused",
        f"{SERVE}test_an_outage_is_outlived_as_long_as_the_credentials_are_good_and_503_after_that",
        f"{START}test_systemd_is_told",
    ),
    "[update]": (
        "settings/test_profile_writer.py::test_a_writer_killed_at_any_call_leaves_the_file_whole",
        "settings/test_profile_section.py::test_the_section_is_set_and_every_other_byte_kept",
        f"{UPDATE}test_update_waits_for_no_other_writer_when_it_is_told_to_end",
        f"{UPDATE}test_update_keeps_renewing_through_errors_until_it_is_told_to_end",
    ),
    "[sign-string]": (
        f"{SIGN}test_a_token_signs_the_same",
        "identity/tpm/test_stored.py::test_a_tpm_signs_with_other_digests",
    ),
    "[read-certificate-data]": (
        "cli/commands/test_read_certificate_data.py::test_a_folder_is_listed",
    ),
    "[exec], [env], [configure], [inspect], [doctor]": (
        "cli/commands/test_exec.py::test_boto3_in_the_command_uses_the_role",
        "cli/commands/test_env.py::test_env_in_sh_can_be_evaluated",
        "cli/commands/test_configure.py::test_configure_writes_a_profile_that_works",
        "cli/commands/test_inspect.py::test_a_full_chain_file_in_any_order",
        "cli/commands/test_doctor.py::test_all_is_well",
    ),
    "A local endpoint that answers 200 with empty keys": (
        f"{SERVE}test_an_outage_is_outlived_as_long_as_the_credentials_are_good_and_503_after_that",
        "server/test_app.py::test_without_credentials_there_is_503_and_never_an_empty_key",
    ),
    "Many requests at once that each make a CreateSession": (
        f"{LOAD}test_many_clients_get_the_same_answer_of_one_create_session",
        f"{LOAD}test_renewals_under_load_disturb_nobody_and_come_one_at_a_time",
    ),
    "Session tokens and answers in the log": (
        "journeys/test_no_secrets.py::test_a_call_logged_in_full_shows_none",
        f"{SERVE}test_nothing_secret_is_said_not_even_with_debug",
    ),
    "A proxy or a page in a browser": (f"{SERVE}test_a_rebound_name_and_a_proxy_get_nothing",),
    "A credentials file that is cut off or loses a line": (
        "settings/test_profile_writer.py::test_a_writer_killed_at_any_call_leaves_the_file_whole",
        f"{UPDATE}test_update_waits_for_no_other_writer_when_it_is_told_to_end",
    ),
    "A renewal that fails once and ends the program": (
        f"{UPDATE}test_update_keeps_renewing_through_errors_until_it_is_told_to_end",
        f"{SERVE}test_an_outage_is_outlived_as_long_as_the_credentials_are_good_and_503_after_that",
    ),
    "A session of 15 minutes that is renewed at every use": (
        f"{KEEPING}test_a_session_is_renewed_once_in_its_life_however_often_it_is_used",
        "credentials/test_cache.py::test_a_short_session_is_not_renewed_at_every_use",
    ),
    "Only the first certificate of a full-chain file read": (
        f"{CHAIN}test_the_chain_is_ordered_whatever_the_order_of_the_file",
        f"{CHAIN}test_leaf_roots_strangers_and_copies_are_left_out",
    ),
    "A key that is not the certificate's": (
        "identity/files/test_contents_unsuitable.py::test_each_is_refused_in_these_words",
        "doctor/test_calls.py::test_a_wrong_key_is_not_tried",
    ),
    "A restart needed after each renewal of the certificate": (
        "identity/test_rotation.py::test_readers_never_fail_and_no_mismatched_pair_is_sent",
    ),
    "PKCS #12 files with today's algorithms refused": (
        "identity/files/test_contents.py::test_each_form_gets_a_session",
    ),
    "A prompt for a passphrase where there is no terminal": (
        "cli/test_prompt.py::test_a_pipe_is_not_asked",
        "cli/test_prompt.py::test_a_service_is_not_asked",
    ),
    "A `credential_process` line continued with a backslash": (
        f"{USAGE}test_when_nothing_arrives_the_backslash_is_suspected",
        f"{USAGE}test_the_line_that_lost_its_arguments_is_named",
    ),
}


def said() -> Iterator[str]:
    """Each row by its first cell, each point and paragraph by its words; links by their text."""
    for section in text_of(PAGE).split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if heading not in SECTIONS:
            continue
        for part in re.split(r"\n\n|\n(?=- )|\n(?=\| )", body.strip()):
            text = " ".join(part.split()).removeprefix("- ").replace("**", "")
            if not text.startswith("|"):
                yield text
            elif not text.startswith(("| flag", "| command", "|---")):
                yield re.sub(r"\]\(\S+?\)", "]", text.split(" | ")[0].removeprefix("| "))


def test_each_statement_of_the_page_is_held_by_tests() -> None:
    statements = [text for text in said() if not text.startswith(OF_THE_HELPER)]

    assert len(statements) > 45
    holding = {text: [words for words in HELD if text.startswith(words)] for text in statements}
    assert {text: found for text, found in holding.items() if len(found) != 1} == {}
    assert sorted(found[0] for found in holding.values()) == sorted(HELD)


@pytest.mark.parametrize("place", sorted({test for tests in HELD.values() for test in tests}))
def test_the_tests_are_there(place: str) -> None:
    file, _, name = place.partition("::")

    assert name in names_of_tests(file)
