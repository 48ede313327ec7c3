"""The faults, bad input and loads that the server is to stand, and the tests that show that it does."""

from typing import Final, NamedTuple

_FAULTS: Final = "system/faults"


class Case(NamedTuple):
    """One of them; tests by file below tests/ and name."""

    title: str
    tests: tuple[str, ...]


CASES: Final = {
    1: Case(
        "IOC killed and restarted",
        (
            f"{_FAULTS}/test_iocs.py::test_ioc_that_is_killed_and_started_again",
            f"{_FAULTS}/test_iocs.py::test_ioc_that_is_away_for_longer_is_found_again",
            f"{_FAULTS}/test_iocs.py::test_ioc_that_loses_a_value_as_a_monitor_begins",
            "browser/test_recovery.py::test_an_ioc_that_comes_back_as_something_else",
        ),
    ),
    2: Case(
        "IOC hung, network partition",
        (
            f"{_FAULTS}/test_iocs.py::test_ioc_that_hangs",
            f"{_FAULTS}/test_network.py::test_pvs_behind_a_partition_are_lost_and_come_back",
            f"{_FAULTS}/test_slow_iocs.py::test_ioc_that_stops_in_the_middle_of_a_circuit_s_making",
            "sources/test_ca.py::test_an_ioc_that_hangs_harms_only_its_own_pvs",
        ),
    ),
    3: Case(
        "TCP reset, 30 % of UDP lost, circuits closed, false beacons",
        (
            f"{_FAULTS}/test_network.py::test_circuit_that_is_reset_is_made_anew",
            f"{_FAULTS}/test_network.py::test_a_thousand_pvs_are_found_though_every_third_datagram_is_lost",
            f"{_FAULTS}/test_network.py::test_ioc_that_closes_its_circuits_again_and_again",
            f"{_FAULTS}/test_network.py::test_beacons_out_of_order_disturb_no_circuit",
        ),
    ),
    4: Case(
        "type, size, units, limits, states changed by a restart",
        (
            f"{_FAULTS}/test_iocs.py::test_a_hundred_restarts_each_with_another_type",
            "sources/test_ca.py::test_an_ioc_that_comes_back_with_other_types_and_units",
        ),
    ),
    5: Case("the same PV on two IOCs", (f"{_FAULTS}/test_iocs.py::test_two_iocs_with_one_name",)),
    6: Case("10,000 PVs on one page", ("system/test_scale.py::test_ten_thousand_pvs_on_one_page",)),
    7: Case(
        "large arrays to many peers",
        (
            "system/test_scale.py::test_a_million_doubles_reach_ten_peers_while_scalars_keep_their_time",
            "system/test_large_arrays.py::test_a_million_doubles",
            "system/test_large_arrays.py::test_a_million_doubles_by_polling",
            "system/test_large_arrays.py::test_many_strings",
            "core/test_preparation.py::test_delivery_of_large_values_against_the_model",
            "system/test_values.py::test_arrays_as_binary",
            "web/test_websocket.py::test_control_frames_keep_out_of_a_large_message",
        ),
    ),
    8: Case(
        "many peers, many values",
        (
            "system/test_scale.py::test_a_thousand_sessions_with_ten_pvs_each",
            "system/test_delivery.py::test_a_thousand_pvs_at_10_hz_arrive_complete_and_in_order",
        ),
    ),
    9: Case(
        "a peer that does not read",
        (
            "system/test_delivery.py::test_a_session_that_never_reads_harms_nobody",
            "web/test_limits.py::test_peer_that_never_reads_is_closed_and_harms_nobody",
            "web/test_limits.py::test_peer_that_reads_again_gets_the_newest_and_how_many_it_missed",
            "web/test_hub.py::test_peer_without_progress_is_closed_as_too_slow",
        ),
    ),
    10: Case("malformed messages", ("web/test_limits.py::test_flood_of_malformed_messages_closes_with_4002",)),
    11: Case(
        "message over the limit, invalid UTF-8",
        (
            "web/test_websocket.py::test_peer_reads_why_its_message_was_too_large",
            "web/test_websocket.py::test_size_that_is_only_claimed_closes_with_1009",
            "web/test_websocket.py::test_connect_to_ten_thousand_pvs_fits",
            "web/test_websocket.py::test_text_that_is_not_utf8_closes_with_1007",
        ),
    ),
    12: Case(
        "JSON that is no request",
        (
            "system/test_bad_input.py::test_mistake_is_answered_and_the_session_kept",
            "system/test_bad_input.py::test_of_duplicate_keys_the_last_counts",
        ),
    ),
    13: Case(
        "connected twice, disconnected while connecting",
        (
            "system/test_version1.py::test_connecting_twice_is_one_stream_and_disconnecting_is_silent",
            "dialects/test_protocol_version1.py::test_disconnect_of_what_is_not_connected_is_silent",
            "dialects/test_protocol_version1.py::test_disconnect_while_connecting",
        ),
    ),
    14: Case(
        "PVs and sockets that come and go",
        (
            f"{_FAULTS}/test_churn.py::test_pvs_that_come_and_go_leave_nothing",
            f"{_FAULTS}/test_churn.py::test_sockets_that_come_and_go_leave_nothing",
        ),
    ),
    15: Case(
        "a long time under load",
        ("stress/test_run.py::test_a_minute_of_stress", "soak/test_soak.py::test_a_short_soak_leaves_its_files"),
    ),
    16: Case(
        "the end: SIGTERM with the IOC up, down, hung, under load; starts and reloads that fail",
        (
            "test_app.py::test_every_session_is_told_at_the_end_whatever_state_the_ioc_is_in",
            "test_app.py::test_second_signal_ends_at_once",
            f"{_FAULTS}/test_shutdown.py::test_end_under_load_and_with_puts_under_way",
            f"{_FAULTS}/test_shutdown.py::test_end_with_a_full_disk_under_the_audit",
            f"{_FAULTS}/test_shutdown.py::test_a_log_that_nobody_reads_holds_nothing_up",
            f"{_FAULTS}/test_shutdown.py::test_end_while_it_starts_leaves_nothing",
            f"{_FAULTS}/test_shutdown.py::test_reloads_under_load_lose_nothing",
            f"{_FAULTS}/test_shutdown.py::test_killed_server_is_back_on_its_port_at_once",
            f"{_FAULTS}/test_start.py::test_start_that_cannot_be_is_one_line_and_leaves_nothing",
            f"{_FAULTS}/test_start.py::test_broken_settings_at_a_reload_change_nothing",
            f"{_FAULTS}/test_start.py::test_audit_on_a_full_disk_is_said_at_the_start_and_puts_are_refused",
        ),
    ),
    17: Case(
        "puts that cannot be, and an IOC slower than its clients",
        (
            "system/test_puts.py::test_refused_before_channel_access_and_recorded",
            "system/test_puts.py::test_refusal_by_the_ioc_is_passed_on",
            "system/test_puts.py::test_time_out_says_that_the_outcome_is_unknown_and_it_is_recorded_when_it_comes",
            "system/test_puts.py::test_two_hundred_puts_to_a_hung_ioc_leave_readers_of_another_alone",
            f"{_FAULTS}/test_slow_iocs.py::test_ioc_that_is_slower_than_its_clients",
        ),
    ),
    18: Case(
        "a put without the right to",
        ("system/test_puts.py::test_writes_are_off_by_default_and_nothing_goes_to_channel_access",),
    ),
    19: Case(
        "PV names that are none",
        (
            "sources/test_ca.py::test_a_name_that_libca_would_read_otherwise_is_refused",
            "system/test_names.py::test_what_the_ioc_takes_for_a_record_the_rules_do_too",
            "system/test_names.py::test_no_spelling_leads_past_a_rule",
        ),
    ),
    20: Case(
        "foreign Origin, unlisted Host",
        (
            "web/test_security.py::test_any_other_host_is_refused_and_the_setting_named",
            "web/test_security.py::test_any_other_origin_is_refused_and_the_setting_named",
            "web/test_security.py::test_no_path_answers_a_rebound_host",
            "web/test_security.py::test_no_path_answers_a_foreign_page",
            "browser/test_security.py::test_foreign_page_gets_no_session",
        ),
    ),
    21: Case(
        "slow headers, idle and half-open connections",
        (
            "web/test_server.py::test_connection_that_does_not_go_on_is_closed",
            "web/test_server.py::test_thousands_of_half_open_connections_keep_nobody_out",
            "web/test_tls.py::test_handshake_that_does_not_go_on_is_closed_and_delays_nobody",
        ),
    ),
    22: Case(
        "paths that lead out",
        (
            "web/test_handlers.py::test_bad_path_is_a_coded_error_with_the_security_headers",
            "web/test_handlers.py::test_every_answer_has_the_security_headers",
        ),
    ),
    23: Case(
        "values of every kind",
        (
            "system/test_values.py::test_scalars",
            "system/test_values.py::test_nan",
            "system/test_values.py::test_strings",
            "system/test_values.py::test_text_in_any_encoding",
            "system/test_values.py::test_nothing_is_nothing",
            "system/test_values.py::test_a_long_string",
        ),
    ),
    24: Case(
        "a token that expires, old TLS, a clock that jumps",
        (
            "system/test_identities.py::test_a_session_ends_when_its_token_expires",
            "system/test_identities.py::test_no_secret_comes_to_light",
            "web/test_tls.py::test_old_versions_are_refused_by_the_server",
            "system/test_clock.py::test_nothing_times_out_and_stamps_stay_when_the_clock_is_set",
        ),
    ),
    25: Case(
        "fuzz",
        (
            "system/test_abuse.py::test_no_bytes_disturb_a_neighbour",
            "autobahn/test_autobahn.py::test_the_quick_cases",
            "fuzz/test_fuzz.py::test_all_that_was_found",
            "dialects/test_fuzz.py::test_any_messages",
        ),
    ),
    26: Case(
        "the page when the server or its IOC goes",
        (
            "browser/test_recovery.py::test_a_server_that_restarts",
            "browser/test_elements.py::test_each_element_when_the_server_and_the_ioc_are_lost_and_come_back",
            "browser/test_page.py::test_a_hidden_tab_gets_no_updates_and_the_newest_when_shown",
        ),
    ),
}
"""By the number under which docs/reference/reliability.md has its figure."""
