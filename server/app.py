"""The composition root: builds the ASGI application, and is the only module that knows every concrete class."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from strawberry.printer import print_schema

import services
from asgi.cors import CORS
from asgi.origins import Origins
from asgi.request_context import RequestContext
from asgi.streaming_session import SessionConfig, StreamTiming
from domain.actor import Actor
from domain.mail import PAGES
from graphql_api.auth.accounts import Accounts
from graphql_api.auth.authenticator import Authenticator
from graphql_api.auth.email_links import EmailLinks
from graphql_api.auth.password_limits import PasswordLimits
from graphql_api.auth.passwords import Passwords
from graphql_api.auth.provider_sign_ins import ProviderSignIns
from graphql_api.auth.rate_limits import RateLimiter
from graphql_api.auth.recoveries import Recoveries
from graphql_api.auth.token_uses import TokenUses
from graphql_api.auth.tokens import AccessTokens
from graphql_api.context import Backend, Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor
from graphql_api.root import schema
from graphql_api.transports.http.direct import GraphQLDirect
from graphql_api.transports.http.endpoint import GraphQLHTTP
from graphql_api.transports.sse.config import EVENT_TIMING, SSEConfig
from graphql_api.transports.sse.endpoint import GraphQLEvents
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.endpoint import GraphQLSocket
from observability.file_descriptors import FileDescriptors
from observability.request_records import RequestRecords
from openid.http import ProviderHTTP
from openid.provider import Provider
from persistence.database import Database
from persistence.schema_check import SchemaCheck
from rest_api import routes as rest
from rest_api.websocket import TASK_TIMING
from server import provider_endpoints, recovery_endpoint
from server.background_tasks import BackgroundTasks
from server.garbage import GarbageCollection
from server.health import Health, database_answers, redis_answers
from server.limits import (
    account_limits,
    document_limits,
    mail_limits,
    page_sign_in,
    provider_configs,
    provider_sign_in_config,
)
from server.mail_settings import DEVELOPMENT_SENDER
from server.mail_worker import MailWorker
from server.metrics_collector import MetricsCollector
from server.oldest_snapshot import OldestSnapshot
from server.pages import account, endpoint_page, landing
from server.pages.board import Board
from server.pages.demo_users import DemoUsers
from server.pages.icon import Icon
from server.pages.landing import Landing
from server.pages.link_pages import SCRIPT_PATH, LinkPage, LinkScript
from server.pages.not_found import NotFoundPages, endpoints_text
from server.pages.playground import Playground
from server.pages.sdl import SchemaText
from server.routing import FastRouter
from server.scheduled_cleanup import check_schedule
from server.settings import Settings
from server.shutdown import GracefulShutdown
from server.smtp import MailTransport, SMTPTransport, TerminalTransport
from server.trusted_document_reader import TrustedDocumentReader, trusted_documents
from services.failed_sign_in import FailedSignIns
from services.mail import LinkMaker
from streaming.connections import Connections
from streaming.notifier import Notifier
from streaming.redis_client import create_client
from streaming.stream import Stream
from streaming.stream_items import Delivered

if TYPE_CHECKING:
    from observability.tracing import Tracing

PATH: Final = "/graphql"
BOARD_PATH: Final = "/board"
REDIS_TIMEOUT_SECONDS: Final = 1.0
REDIS_CONNECTIONS: Final = 32
"""Connections for rate limits, per process at most."""
RATE_LIMIT_TIMEOUT_SECONDS: Final = 0.35
DRAIN_SECONDS: Final = 2.0
DRAIN_SECONDS_PER_SOCKET: Final = 0.01
_SWITCH_SECONDS: Final = 0.0001
"""A few sockets need no spreading, and the user who pressed Ctrl-C should not wait."""


def create_app(settings: Settings | None = None, *, demo: DemoUsers | None = None) -> ASGIApp:
    """The application; the settings come from the environment unless they are given. *demo* are its demo users.

    Raises:
        ValueError: a setting is missing or invalid.
    """
    return Server(settings or Settings(), demo=demo).asgi()


class Server:
    """One process with all its parts.

    *timing* is for GraphQL WebSockets, *task_timing* for `/ws/tasks`, and *event_timing* for event streams.
    *rate_limit_timeout* is the time in which Redis must answer before limits are counted without it. With *shared* off,
    each subscriber's results are read and executed separately: the same results, but slower. *strict* and
    *plans_at_first_request* are for tests: see `CompiledExecutor`. *tracing* overrides the settings. *demo* are the
    users that pages offer to sign in as.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        timing: StreamTiming | None = None,
        task_timing: StreamTiming | None = None,
        event_timing: StreamTiming | None = None,
        rate_limit_timeout: float = RATE_LIMIT_TIMEOUT_SECONDS,
        shared: bool = True,
        strict: bool = False,
        plans_at_first_request: bool = False,
        tracing: "Tracing | None" = None,
        demo: DemoUsers | None = None,
    ) -> None:
        if settings.database_url is None or settings.redis_url is None:
            raise ValueError("DATABASE_URL and REDIS_URL must be set; `taskriver dev` brings servers of its own.")
        if settings.cleanup_cron is not None:
            check_schedule(settings.cleanup_cron)
        self.settings = settings
        self.timing = timing or StreamTiming()
        self.task_timing = task_timing or TASK_TIMING
        self.event_timing = event_timing or EVENT_TIMING
        self.database = Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            pooler=settings.database_pooler,
            keys_per_account=settings.idempotency_keys_per_account,
            keeps_deleted_tasks=settings.trash_days > 0,
        )
        self.redis = create_client(
            settings.redis_url.get_secret_value(), seconds=REDIS_TIMEOUT_SECONDS, max_connections=REDIS_CONNECTIONS
        )
        self.tracing = tracing or _tracing(settings.otel_exporter_otlp_endpoint)
        if self.tracing is not None:
            self.tracing.watch_statements(self.database.statements)
            self.tracing.watch_services(services)
        self.requests = RequestRecords(self.tracing)
        self.demo = None if settings.is_production else demo
        self.destinations = pages = landing.destinations(
            settings.has_board,
            settings.account_pages,
            settings.has_playground,
            settings.api_docs,
            settings.introspection,
        )
        has_playground, has_board = settings.has_playground, settings.has_board
        self.playground = Playground(self.demo, landing.GRAPHIQL.links(pages)) if has_playground else None
        self.board = Board(self.demo, landing.BOARD.links(pages), page_sign_in(settings)) if has_board else None
        self.account_pages = (
            account.AccountPages(self.demo, landing.ACCOUNT.links(pages), page_sign_in(settings))
            if settings.account_pages
            else None
        )
        self.documents = self._documents()
        self.compiled = (
            CompiledExecutor(schema._schema, strict=strict, at_first_request=plans_at_first_request)
            if settings.compile_operations
            else None
        )
        self.trusted = trusted_documents(settings.trusted_documents, self.documents)
        self.throttle = RateLimiter(self.redis, timeout=rate_limit_timeout)
        self.stream = Stream(self.database, Notifier(settings.redis_url.get_secret_value()))
        self.connections = Connections(per_user=settings.sockets_per_user, per_address=settings.sockets_per_address)
        self.garbage = GarbageCollection(lambda: self.connections.count)
        self.descriptors = FileDescriptors()
        self.passwords = Passwords(settings.bcrypt_rounds)
        self.tokens = AccessTokens(
            settings.key_ring, settings.token_issuer, settings.token_audience, settings.access_token_lifetime
        )
        self.token_uses = TokenUses()
        self.access = Authenticator(
            self.database,
            self.tokens,
            self.stream,
            directory=settings.user_directory,
            creation=settings.project_creation,
            uses=self.token_uses,
        )
        self.document_reader = TrustedDocumentReader(
            self.database, self.documents, self.trusted, self.compiled, self.access.sample_actors()
        )
        self.failed_sign_ins = FailedSignIns(lambda: self.database.unit_of_work(None))
        self.provider_http = ProviderHTTP()
        self.sign_ins = self._provider_sign_ins()
        self.shutdown = GracefulShutdown(self._drain)
        self.links = LinkMaker(next(iter(settings.key_ring.values())), settings.public_url)
        self.email_links = self._email_links()
        self.mail_worker = self._mail_worker()
        self.backend = Backend(
            self.database,
            self._accounts(),
            self.email_links,
            self.stream,
            settings.cookie_secure,
            shared,
            project_creation=settings.project_creation,
            max_token_lifetime=settings.max_token_lifetime,
            sign_ins=self.sign_ins,
            passwords=settings.password_login,
        )
        self.stream.on_access(self.connections.close_affected)
        if self.tracing is not None or settings.log_level == "debug":
            self.stream.on_delivery(self._record_delivery)
        self.stream.on_break(self.connections.close_everyone)
        self.tables = SchemaCheck(self.database.connect)
        self.oldest_snapshot = OldestSnapshot(self.database)
        collector = self._metrics_collector()
        self._background_tasks = BackgroundTasks(
            settings,
            self.database,
            self.oldest_snapshot,
            self.token_uses,
            collector.collect,
            self.failed_sign_ins,
            self.mail_worker,
        )

    def asgi(self) -> ASGIApp:
        """The ASGI application with all its routes."""
        executor, origins = self._executor(), Origins(self.settings.cross_origins)
        http = self._graphql_http(executor)
        events = self._graphql_events(executor, origins, http)
        websocket = self._graphql_websocket(executor, origins)
        app = Starlette(
            routes=[
                Route(PATH, events),
                Route(PATH + "/", events),
                WebSocketRoute(PATH, websocket),
                WebSocketRoute(PATH + "/", websocket),
                *self._health_routes(),
                *self._page_routes(),
                *self._rest_routes(origins),
                *self._provider_routes(),
                self._recovery_route(),
            ],
            lifespan=self._lifespan,
        )
        landing_page = Landing(self.destinations, self.demo, endpoints_text(app.routes))
        app.router.default = NotFoundPages(app.routes)
        app.routes.append(Route("/", landing_page))
        router = FastRouter(PATH, {"http": events, "websocket": websocket}, app)
        direct = GraphQLDirect(http, executor, self.access.cached, path=PATH)
        return CORS(router, origins.allows, trusted_proxies=self.settings.trusted_proxies, direct=direct)

    def _executor(self) -> Executor[Context]:
        return Executor(
            schema,
            self.documents,
            renew_context=Context.renewed,
            shared=self.backend.shared,
            fast_path=self.compiled,
            wait_for_recovery=self.stream.recovered,
            trusted=self.trusted,
        )

    def _graphql_http(self, executor: Executor[Context]) -> GraphQLHTTP[Context]:
        return GraphQLHTTP(
            executor,
            self.access.authenticate,
            self._context,
            page=endpoint_page.respond_of(self.settings.only_trusted_documents)
            if self.playground is None
            else self.playground.respond,
            page_opens_links=self.playground is not None,
            trusted_proxies=self.settings.trusted_proxies,
            requests=self.requests,
        )

    def _graphql_events(
        self, executor: Executor[Context], origins: Origins, http: GraphQLHTTP[Context]
    ) -> GraphQLEvents[Context]:
        config = SSEConfig(
            executor,
            self._context,
            SessionConfig(self.connections, self.access.authenticate, self.event_timing),
            cursor_of=lambda context: context.cursor,
            reached_by=lambda context: context.reached,
        )
        return GraphQLEvents(
            config, http, origins.allows, trusted_proxies=self.settings.trusted_proxies, requests=self.requests
        )

    def _graphql_websocket(self, executor: Executor[Context], origins: Origins) -> GraphQLSocket[Context]:
        config = WebSocketConfig(
            executor,
            self._context,
            SessionConfig(self.connections, self.access.authenticate, self.timing),
            cursor_of=lambda context: context.cursor,
            requests=self.requests,
        )
        return GraphQLSocket(config, origins.allows, trusted_proxies=self.settings.trusted_proxies)

    def _health_routes(self) -> list[BaseRoute]:
        health = self._health()
        return [Route("/healthz", health.live), Route("/readyz", health.ready)]

    def _rest_routes(self, origins: Origins) -> list[BaseRoute]:
        return rest.routes(
            self.backend,
            self.access.authenticate,
            self.connections,
            origins.allows,
            docs=self.settings.api_docs,
            trusted_proxies=self.settings.trusted_proxies,
            timing=self.task_timing,
            requests=self.requests,
        )

    def _provider_routes(self) -> list[BaseRoute]:
        return provider_endpoints.routes(
            self.sign_ins,
            cookie_secure=self.settings.cookie_secure,
            trusted_proxies=self.settings.trusted_proxies,
            requests=self.requests,
        )

    def _recovery_route(self) -> BaseRoute:
        settings = self.settings
        return recovery_endpoint.route(
            Recoveries(
                self.database,
                rate_limiter=self.throttle,
                key_ring=settings.key_ring,
                failed_sign_ins=self.failed_sign_ins,
            ),
            next_path="/account" if settings.account_pages else BOARD_PATH if settings.has_board else "/",
            cookie_secure=settings.cookie_secure,
            trusted_proxies=settings.trusted_proxies,
            requests=self.requests,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.shutdown.install()
        await self.start()
        self.garbage.start()
        try:
            yield
        finally:
            self.garbage.stop()
            await self.stop()

    async def start(self) -> None:
        """Start the background tasks."""
        # The thread that examines documents gives the interpreter's lock back after this time, if the loop waits.
        # The default, 5 ms, would hold up every callback of the loop for so long.
        sys.setswitchinterval(_SWITCH_SECONDS)
        # A process that has seen its tables stays ready when they become newer, also if nobody has asked before.
        await asyncio.gather(self.stream.start(), self.tables.state())
        await self.document_reader.start()
        self.descriptors.start()
        self._background_tasks.start()

    async def stop(self) -> None:
        """Stop the background tasks, and close all connections."""
        await self._background_tasks.stop()
        self.document_reader.stop()
        await self.stream.stop()
        self.descriptors.stop()
        self.requests.flush()
        self.passwords.close()
        self.documents.close()
        await self.provider_http.close()
        await self.redis.aclose()
        await self.database.close()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)

    def _page_routes(self) -> list[BaseRoute]:
        found: list[BaseRoute] = [Route(path, Icon()) for path in ("/icon.svg", "/favicon.ico")]
        if self.settings.introspection:
            found.append(Route("/schema.graphql", SchemaText(lambda: print_schema(schema))))
        if self.settings.link_pages:
            found += [Route(path, LinkPage(purpose)) for purpose, path in PAGES.items()]
            found.append(Route(SCRIPT_PATH, LinkScript()))
        if self.playground is not None:
            found.append(Route(PATH + "/assets/{name}", self.playground))
        if self.board is not None:
            found += [Route(BOARD_PATH, self.board), Route(BOARD_PATH + "/assets/{name}", self.board)]
        if self.account_pages is not None:
            found += [Route(path, self.account_pages) for path in (*account.PATHS, account.ASSETS)]
        return found

    def _context(self, request: RequestContext) -> Context:
        return Context(self.backend, request)

    async def _drain(self) -> None:
        longest = min(DRAIN_SECONDS, self.settings.shutdown_seconds / 5)
        await self.connections.drain(min(longest, self.connections.count * DRAIN_SECONDS_PER_SOCKET))

    def _accounts(self) -> Accounts:
        settings = self.settings
        return Accounts(
            self.database,
            password_limits=PasswordLimits(self.passwords, self.throttle),
            tokens=self.tokens,
            rate_limiter=self.throttle,
            key_ring=settings.key_ring,
            limits=account_limits(settings),
            failed_sign_ins=self.failed_sign_ins,
            registration=settings.registration,
            email_links=self.email_links,
            retention=settings.retention,
            passwords=settings.password_login,
        )

    def _provider_sign_ins(self) -> ProviderSignIns:
        settings = self.settings
        return ProviderSignIns(
            self.database,
            [Provider(each, self.provider_http) for each in provider_configs(settings)],
            provider_sign_in_config(settings, default_path=BOARD_PATH if settings.has_board else "/"),
            rate_limiter=self.throttle,
            key_ring=settings.key_ring,
            failed_sign_ins=self.failed_sign_ins,
        )

    def _email_links(self) -> EmailLinks:
        settings, limits = self.settings, account_limits(self.settings)
        return EmailLinks(
            self.database,
            rate_limiter=self.throttle,
            limits=mail_limits(settings),
            password_limits=PasswordLimits(self.passwords, self.throttle),
            hashes_per_address=limits.hashes_per_address,
            links=self.links,
            sends_mail=settings.sends_mail,
            invitation_lifetime=settings.invitation_lifetime,
            passwords=settings.password_login,
        )

    def _mail_worker(self) -> MailWorker | None:
        settings = self.settings
        if not settings.sends_mail:
            return None
        transport: MailTransport = (
            SMTPTransport(settings) if settings.smtp_host is not None else TerminalTransport(print)
        )
        sender = settings.mail_from or DEVELOPMENT_SENDER
        return MailWorker(lambda: self.database.unit_of_work(None), transport, self.links, sender)

    def _documents(self) -> Documents:
        settings = self.settings
        return Documents(
            schema,
            document_limits(settings),
            introspection=settings.introspection,
            suggestions=not settings.is_production,
        )

    def _record_delivery(self, actor: Actor, item: Delivered) -> None:
        self.requests.delivered(actor.user_id, item.position, item.event.at, item.event.request_id)

    def _metrics_collector(self) -> MetricsCollector:
        return MetricsCollector(
            requests=self.requests,
            documents=self.documents,
            trusted=self.trusted,
            compiled=self.compiled,
            database=self.database,
            pool_size=self.settings.database_pool_size,
            passwords=self.passwords,
            throttle=self.throttle,
            connections=self.connections,
            stream=self.stream,
            descriptors=self.descriptors,
            oldest_snapshot=self.oldest_snapshot,
            mail_worker=self.mail_worker,
            is_draining=lambda: self.shutdown.started,
        )

    def _health(self) -> Health:
        return Health(
            database=lambda: database_answers(self.database),
            migrations=self.tables.state,
            redis=lambda: redis_answers(self.redis, seconds=REDIS_TIMEOUT_SECONDS),
            refused=lambda: self.stream.is_refused,
            exhausted=lambda: self.descriptors.exhausted,
            draining=lambda: self.shutdown.started,
        )


def _tracing(endpoint: str | None) -> "Tracing | None":
    if endpoint is None:
        return None
    # Imported only when needed: the packages are an optional extra, and their import is slow.
    from observability.tracing import Tracing

    return Tracing(endpoint)
