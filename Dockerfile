# The wheel is built in one stage and installed in the next, which holds neither sources nor build tools.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN wheel=$(ls /wheels/mailbot-*.whl) && pip install --no-cache-dir "${wheel}[postgresql]" && rm -r /wheels \
    && useradd --system --uid 10001 --home-dir /var/lib/mailbot --create-home --shell /usr/sbin/nologin mailbot
# data_dir is a relative path by default: it lies in the volume.
WORKDIR /var/lib/mailbot
VOLUME /var/lib/mailbot
USER mailbot
# Mount the configuration there; any key can also be given as MAILBOT_SECTION__KEY, secrets as ..._FILE.
ENV MAILBOT_CONFIG=/etc/mailbot/mailbot.toml
STOPSIGNAL SIGTERM
ENTRYPOINT ["mailbot"]
CMD ["run"]
